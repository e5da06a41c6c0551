import type { Log } from '../../schemas/words/log.ts'
import type { Post } from './post.ts'

/** What was handed over and what became of it. */
export type OutboxCounts = { readonly sent: number; readonly dropped: number }

/** Where a signal goes: its URL and headers; null: nowhere. */
export type Destination = { readonly url: string; readonly headers: Readonly<Record<string, string>> } | null

type Parts<T> = {
  readonly signal: 'traces' | 'metrics'
  readonly destination: () => Destination
  readonly encode: (items: readonly T[]) => Buffer
  readonly post: Post
  readonly log: Log
}

/** Items that wait at most; what comes then is dropped, and counted. */
const MOST_WAITING = 4_096
const MOST_AT_ONCE = 512
const FLUSH_EVERY_MS = 1_000
const ATTEMPTS = 5
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 30_000
/** @see OTLP 1.9, "Retryable Response Codes" */
const RETRYABLE = new Set([0, 429, 502, 503, 504])

/**
 * Sends items in the background, in batches, one after the other. No caller waits; what a collector does not take in
 * time is dropped.
 */
export function createOutbox<T>({ signal, destination, encode, post, log }: Parts<T>) {
  let waiting: T[] = []
  let timer: NodeJS.Timeout | null = null
  let sending: Promise<void> | null = null
  let wake = () => {}
  let isClosing = false
  let isFailing = false
  const counts = { sent: 0, dropped: 0 }

  function schedule(): void {
    if (timer !== null || sending !== null || waiting.length === 0) return
    timer = setTimeout(flush, waiting.length >= MOST_AT_ONCE ? 0 : FLUSH_EVERY_MS)
    timer.unref()
  }

  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (sending !== null || waiting.length === 0) return
    const batch = waiting.slice(0, MOST_AT_ONCE)
    waiting = waiting.slice(MOST_AT_ONCE)
    sending = send(batch)
      .catch((error: unknown) => drop(batch, String(error)))
      .finally(() => {
        sending = null
        schedule()
      })
  }

  async function send(batch: readonly T[]): Promise<void> {
    const body = encode(batch)
    for (let attempt = 1; ; attempt += 1) {
      const to = destination()
      if (to === null) return drop(batch, null)
      const { status, retryAfterMs, error } = await post(to.url, to.headers, body)
      if (status >= 200 && status < 300) return sent(batch)
      const reason = error ?? `it answered ${status}`
      if (!RETRYABLE.has(status) || attempt >= ATTEMPTS || isClosing) return drop(batch, reason)
      fail(reason)
      await pause(Math.min(LONGEST_WAIT_MS, retryAfterMs ?? FIRST_WAIT_MS * 2 ** (attempt - 1)))
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wait = setTimeout(resolve, ms)
      wait.unref()
      wake = () => {
        clearTimeout(wait)
        resolve()
      }
    })
  }

  function sent(batch: readonly T[]): void {
    counts.sent += batch.length
    if (isFailing) log('info', 'telemetry is sent again', { part: signal })
    isFailing = false
  }

  function drop(batch: readonly T[], reason: string | null): void {
    counts.dropped += batch.length
    if (reason !== null) fail(reason)
  }

  /** Once, not for each batch. */
  function fail(error: string): void {
    if (!isFailing) log('warn', 'telemetry cannot be sent; what waits too long is dropped', { part: signal, error })
    isFailing = true
  }

  return {
    put(items: readonly T[]): void {
      const room = MOST_WAITING - waiting.length
      if (items.length > room) counts.dropped += items.length - room
      for (const item of room >= items.length ? items : items.slice(0, room)) waiting.push(item)
      if (waiting.length >= MOST_AT_ONCE && timer !== null) flush()
      schedule()
    },
    counts: (): OutboxCounts => counts,
    /** Tries once more to send what waits. */
    async close(): Promise<void> {
      isClosing = true
      wake()
      for (let left = Math.ceil(MOST_WAITING / MOST_AT_ONCE) + 1; left > 0; left -= 1) {
        flush()
        if (sending === null) return
        await sending
      }
    },
  }
}
