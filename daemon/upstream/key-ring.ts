/** How long a key rests that was told to wait, where nothing is said of how long. */
const REST_MS = 10_000
/** The same of one that was refused, or has no money left: a person has to do something. */
const REFUSED_REST_MS = 300_000
const LONGEST_REST_MS = 600_000
const MINUTE_MS = 60_000

/** Statuses that are about a key, with which another one may do better, and whether waiting helps. */
const ABOUT_THE_KEY: Readonly<Record<number, 'wait' | 'refused'>> = {
  401: 'refused',
  402: 'refused',
  403: 'refused',
  429: 'wait',
}

type KeyState = { restUntil: number; left: number; refilledAt: number }

/** The only key, or none. */
const FIRST = { kind: 'key', index: 0 } as const

export type KeyRing = ReturnType<typeof createKeyRing>

/**
 * Which of the keys of one upstream is used next: the first that neither rests nor has reached its limit, so that
 * caches, which belong to an account, stay warm. A single key never rests: its upstream does, as a target.
 * @param perMinute requests with each key; null: no limit @param now monotonic milliseconds
 */
export function createKeyRing(count: number, perMinute: number | null, now: () => number) {
  const full = perMinute ?? Number.POSITIVE_INFINITY
  const keys: KeyState[] = Array.from({ length: count }, () => ({ restUntil: 0, left: full, refilledAt: now() }))

  function refill(key: KeyState, time: number): void {
    key.left = Math.min(full, key.left + ((time - key.refilledAt) * full) / MINUTE_MS)
    key.refilledAt = time
  }

  function waitMs(key: KeyState, time: number): number {
    const forLimit = key.left >= 1 ? 0 : ((1 - key.left) * MINUTE_MS) / full
    return Math.max(key.restUntil - time, forLimit, 0)
  }

  function refillAll(time: number): void {
    if (perMinute !== null) for (const key of keys) refill(key, time)
  }

  return {
    /** How long none may be used; 0: one may. */
    waitMs(): number {
      const time = now()
      refillAll(time)
      return count === 0 ? 0 : Math.min(...keys.map((key) => waitMs(key, time)))
    },
    /** Takes one use of a key. @returns its index, or how long none may be used; the index 0 where there is no key */
    take(): { readonly kind: 'key'; readonly index: number } | { readonly kind: 'none'; readonly waitMs: number } {
      if (count < 2 && perMinute === null) return FIRST // one never rests
      const time = now()
      refillAll(time)
      const index = keys.findIndex((key) => waitMs(key, time) === 0)
      const key = keys[index]
      if (key === undefined) {
        return count === 0 ? FIRST : { kind: 'none', waitMs: Math.min(...keys.map((one) => waitMs(one, time))) }
      }
      key.left -= 1
      return { kind: 'key', index }
    },
    /**
     * A request with a key was refused. @param retryAfterMs what the upstream asked for, or null
     * @returns whether it was about the key, and another may be tried at once
     */
    refused(index: number, status: number, retryAfterMs: number | null): boolean {
      const why = ABOUT_THE_KEY[status]
      const key = keys[index]
      if (why === undefined || key === undefined || count < 2) return false
      const restMs = why === 'refused' ? REFUSED_REST_MS : (retryAfterMs ?? REST_MS)
      const time = now()
      key.restUntil = time + Math.min(restMs, LONGEST_REST_MS)
      return keys.some((one) => waitMs(one, time) === 0)
    },
  }
}
