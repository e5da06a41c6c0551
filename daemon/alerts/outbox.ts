import type { Log } from '../../schemas/words/log.ts'
import { type AlertDestination, type AlertMessage, messageOf, type RaisedAlert } from './message.ts'

/**
 * Sends one message. @returns the HTTP status
 * @throws Error that says why, without the URL, which may be a secret
 */
export type Post = (url: string, message: AlertMessage, signal: AbortSignal) => Promise<number>

export type Outbox = {
  /** Never throws, and waits for nothing. */
  readonly add: (alert: RaisedAlert) => void
  readonly stop: () => Promise<void>
}

type OutboxParts = {
  readonly log: Log
  readonly post: Post
  /** Unix milliseconds. */
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
}

/** Alerts that wait for one destination; the oldest go when there are more. */
const MOST_WAITING = 100
const DEADLINE_MS = 10_000
/** After each attempt that failed twice as long as before. */
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 600_000
/** Then it is given up: for some hours. */
const MOST_ATTEMPTS = 30

/** What waits for one destination, which is told one alert after the other. */
export function createOutbox(
  name: string,
  destination: AlertDestination,
  { log, post, now, random }: OutboxParts,
): Outbox {
  const waiting: RaisedAlert[] = []
  const stopping = new AbortController()
  const { signal } = stopping
  let sending: Promise<void> | null = null
  let isFailing = false

  async function sendAll(): Promise<void> {
    for (let next = waiting[0]; next !== undefined && !signal.aborted; next = waiting[0]) {
      const failure = await delivered(next)
      if (waiting[0] === next) waiting.shift()
      if (failure !== null && !signal.aborted)
        log('error', 'an alert could not be told and is given up', { object: `alerts.${name}`, error: failure })
    }
  }

  /** @returns why it was given up; null: it was taken */
  async function delivered(alert: RaisedAlert): Promise<string | null> {
    let waitMs = FIRST_WAIT_MS
    let failure = ''
    for (let attempt = 0; attempt < MOST_ATTEMPTS && !signal.aborted; attempt += 1) {
      const failed = await attempted(alert)
      if (failed === null) return null
      failure = failed.why
      if (!isFailing)
        log('warn', 'an alert could not be told; it is tried again', { object: `alerts.${name}`, error: failure })
      isFailing = true
      if (failed.isFinal) break
      await waited(waitMs * (0.5 + random() / 2), signal)
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
    }
    return failure
  }

  async function attempted(alert: RaisedAlert): Promise<{ readonly why: string; readonly isFinal: boolean } | null> {
    const message = messageOf(alert, destination, now())
    try {
      const status = await post(destination.url, message, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]))
      if (status < 200 || status >= 300) return { why: `status ${status}`, isFinal: isFinal(status) }
      isFailing = false
      return null
    } catch (error) {
      return { why: error instanceof Error ? error.message : String(error), isFinal: false }
    }
  }

  return {
    add(alert) {
      if (signal.aborted || (destination.events.length > 0 && !destination.events.includes(alert.event))) return
      waiting.push(alert)
      if (waiting.length > MOST_WAITING) waiting.splice(1, 1) // the first is being sent
      sending ??= sendAll()
        .catch((error: unknown) => log('error', 'alerts could not be told', { error: String(error) }))
        .finally(() => {
          sending = null
        })
    },
    async stop() {
      stopping.abort()
      await sending
    },
  }
}

/** What is refused for what it is will be refused again. */
const isFinal = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms).unref()
    signal.addEventListener('abort', done, { once: true })
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
