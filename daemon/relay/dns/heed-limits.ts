import { setTimeout as sleep } from 'node:timers/promises'
import { retryAfterMs } from '../../../pki/acme/problem.ts'
import type { Send } from '../../../pki/acme/request.ts'

const TRIES = 4
const FIRST_WAIT_MS = 1_000
/** A node waits for its record meanwhile. */
const LONGEST_WAIT_MS = 15_000

/** Asks a DNS provider again that says 429, after the time that it names, and one request at a time. */
export function heedLimits(send: Send, now: () => number): Send {
  let turn: Promise<unknown> = Promise.resolve()

  async function patiently(...[asked, signal]: Parameters<Send>): ReturnType<Send> {
    for (let tries = 1, waitMs = FIRST_WAIT_MS; ; tries++, waitMs *= 2) {
      const answered = await send(asked, signal)
      if (answered.status !== 429 || tries === TRIES) return answered
      const wishedMs = retryAfterMs(answered.headers['retry-after'], now()) ?? waitMs
      await sleep(Math.min(wishedMs, LONGEST_WAIT_MS), undefined, { signal })
    }
  }

  return (asked, signal) => {
    const mine = turn.then(() => patiently(asked, signal))
    turn = mine.catch(() => {})
    return mine
  }
}
