import type { Log } from '../../schemas/words/log.ts'
import type { Alert, TellAlert } from './alert.ts'
import type { AlertDestination } from './message.ts'
import { createOutbox, type Outbox, type Post } from './outbox.ts'

type AlertParts = {
  readonly log: Log
  readonly post: Post
  /** Unix milliseconds. */
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
}

export type Alerts = {
  readonly tell: TellAlert
  /** Where alerts go from now on, by name. What waits for a destination that is gone, or is another one now, is dropped. */
  readonly apply: (destinations: Readonly<Record<string, AlertDestination>>) => void
  readonly stop: () => Promise<void>
}

/** Things of one event that are remembered; of more, what was told longest ago is forgotten, and is news again. */
const MOST_SUBJECTS = 10_000

/** Tells operators what they want to know: the log always, and whom `alerts` names. Only what is new is told. */
export function createAlerts(parts: AlertParts): Alerts {
  const { log, now } = parts
  /** By event, so that none takes the room of another, and by subject. */
  const told = new Map<string, Map<string, string>>()
  const outboxes = new Map<string, { readonly is: string; readonly outbox: Outbox }>()
  const ending: Promise<void>[] = []

  /** Whether it is not what was told last of the same subject. */
  function isNews({ event, subject, state, level }: Alert): boolean {
    if (state === 'once') return true
    const levels = told.get(event) ?? new Map<string, string>()
    if (state === 'over') return levels.delete(subject)
    if (levels.get(subject) === level) return false
    told.set(event, levels)
    levels.delete(subject)
    const [oldest] = levels.keys()
    if (oldest !== undefined && levels.size >= MOST_SUBJECTS) levels.delete(oldest)
    levels.set(subject, level) // as the latest
    return true
  }

  return {
    tell(alert) {
      if (!isNews(alert)) return
      const { event, subject, state, severity, message } = alert
      const weight = severity === 'critical' ? 'error' : 'warn'
      log(state === 'over' ? 'info' : weight, message, { code: event, object: subject, state })
      const at = new Date(now()).toISOString()
      for (const { outbox } of outboxes.values()) outbox.add({ at, ...alert })
    },
    apply(destinations) {
      for (const [name, { is, outbox }] of outboxes) {
        if (JSON.stringify(destinations[name]) === is) continue
        outboxes.delete(name)
        ending.push(outbox.stop())
      }
      for (const [name, destination] of Object.entries(destinations)) {
        if (outboxes.has(name)) continue
        outboxes.set(name, { is: JSON.stringify(destination), outbox: createOutbox(name, destination, parts) })
      }
    },
    async stop() {
      await Promise.all([...ending, ...Array.from(outboxes.values(), ({ outbox }) => outbox.stop())])
    },
  }
}
