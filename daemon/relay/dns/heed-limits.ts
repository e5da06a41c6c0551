import { retryAfterMs } from '../../../pki/acme/problem.ts'
import type { Answered, Send } from '../../../pki/acme/request.ts'

const TRIES = 4
const FIRST_WAIT_MS = 1_000
/** A node waits for its record meanwhile. */
const LONGEST_WAIT_MS = 15_000
/** A provider that names a time far away is asked again after this. */
const LONGEST_REST_MS = 600_000

/** The provider wants to be left alone for longer than a node would wait. */
export class ProviderRests extends Error {
  constructor(restMs: number) {
    super(`the DNS provider takes no requests for ${Math.ceil(restMs / 1_000)} s`)
    this.name = 'ProviderRests'
  }
}

/** Unix milliseconds, and a pause that a signal ends. */
type Time = { readonly now: () => number; readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown> }

/**
 * Asks a DNS provider again that says 429 or 5xx. The limits of providers are for an account, so that a rest that one
 * request is told is kept by all.
 * @throws ProviderRests, without asking
 */
export function heedLimits(send: Send, { now, wait }: Time): Send {
  let restUntilMs = 0

  async function rested(signal: AbortSignal): Promise<void> {
    for (let leftMs = restUntilMs - now(); leftMs > 0; leftMs = restUntilMs - now()) {
      if (leftMs > LONGEST_WAIT_MS) throw new ProviderRests(leftMs)
      await wait(leftMs, signal)
    }
  }

  /** @returns how long to wait; null: it is an answer */
  function waitOf({ status, headers }: Answered, waitMs: number): number | null {
    if (status !== 429 && status < 500) return null
    const wishedMs = Math.min(retryAfterMs(headers['retry-after'], now()) ?? waitMs, LONGEST_REST_MS)
    if (status === 429 || headers['retry-after'] !== undefined) restUntilMs = Math.max(restUntilMs, now() + wishedMs)
    return wishedMs
  }

  return async (asked, signal) => {
    for (let tries = 1, waitMs = FIRST_WAIT_MS; ; tries++, waitMs *= 2) {
      await rested(signal)
      const answered = await send(asked, signal)
      const wishedMs = waitOf(answered, waitMs)
      if (wishedMs === null || tries === TRIES) return answered
      if (wishedMs <= LONGEST_WAIT_MS) await wait(wishedMs, signal)
    }
  }
}
