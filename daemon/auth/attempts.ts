import { GateError } from '../../schemas/words/errors.ts'

/** How often something may go wrong before it has to wait, and how long it waits then. */
export type Patience = {
  /** Failures that cost nothing. */
  readonly free: number
  /** The wait after the first that does; each later one doubles it. */
  readonly firstMs: number
  readonly longestMs: number
}

type Counted = { failures: number; until: number; seen: number }

export type Attempts = ReturnType<typeof createAttempts>

const MOST_RECORDS = 10_000
/** What has failed is forgotten when nothing more happened for so long. */
const FORGET_MS = 3_600_000

/**
 * Counts attempts to guess something, by what is guessed or by who guesses. An attempt counts as failed until it is
 * known to be right, so that many at once are no way around.
 * @param now monotonic milliseconds
 */
export function createAttempts({ free, firstMs, longestMs }: Patience, now: () => number) {
  const records = new Map<string, Counted>()

  function makeRoom(at: number): void {
    if (records.size < MOST_RECORDS) return
    for (const [key, { seen, until }] of records) if (seen < at - FORGET_MS && until <= at) records.delete(key)
    // the one that was tried longest ago
    const [oldest] = records.keys()
    if (records.size >= MOST_RECORDS && oldest !== undefined) records.delete(oldest)
  }

  /** The wait of a later attempt stays; any before it was over when this one was let through. */
  function takeBack(key: string, until: number): void {
    const known = records.get(key)
    if (known === undefined) return
    known.failures -= 1
    if (known.failures <= free || known.until === until) known.until = 0
    if (known.failures <= 0) records.delete(key)
  }

  return {
    /**
     * Notes an attempt before it is looked at.
     * @returns takes it back: it was right, or not looked at, so that neither it nor the wait for it counts
     * @throws GateError TOO_MANY_REQUESTS while it has to wait
     */
    begin(key: string): () => void {
      const at = now()
      const known = records.get(key)
      const failures = known === undefined || known.seen < at - FORGET_MS ? 0 : known.failures
      if (known !== undefined && known.until > at) throw tooMany(known.until - at)
      if (known === undefined) makeRoom(at)
      const next = failures + 1
      const until = next <= free ? 0 : at + Math.min(longestMs, firstMs * 2 ** Math.min(30, next - free - 1))
      records.delete(key) // the map is in the order of the last attempts
      records.set(key, { failures: next, until, seen: at })
      return () => takeBack(key, until)
    },
    /** It was right: what went wrong before is forgotten. */
    succeeded: (key: string): void => void records.delete(key),
    size: () => records.size,
  }
}

function tooMany(waitMs: number): GateError {
  const retryAfterS = Math.ceil(waitMs / 1_000)
  const message = `too many attempts have failed; try again in ${retryAfterS} s`
  return new GateError('TOO_MANY_REQUESTS', message, { retryAfterS })
}
