import type { Log } from '../../schemas/words/log.ts'
import type { Alert, TellAlert } from './alert.ts'

/** Things that are alerted of at a time; more are logged alone. */
const MOST_SUBJECTS = 10_000

/** Tells operators what they want to know: the log always, and whom `alerts` names. Only what is new is told. */
export function createAlerts({ log }: { readonly log: Log }): { readonly tell: TellAlert } {
  const levels = new Map<string, string>()

  /** Whether it is not what was told last of the same subject. */
  function isNews({ event, subject, state, level }: Alert): boolean {
    if (state === 'once') return true
    const id = JSON.stringify([event, subject])
    const before = levels.get(id)
    if (state === 'over') return levels.delete(id)
    if (before === level || (before === undefined && levels.size >= MOST_SUBJECTS)) return false
    levels.set(id, level)
    return true
  }

  return {
    tell(alert) {
      if (!isNews(alert)) return
      const { event, subject, state, severity, message } = alert
      const weight = severity === 'critical' ? 'error' : 'warn'
      log(state === 'over' ? 'info' : weight, message, { code: event, object: subject, state })
    },
  }
}
