/** Each request pays for this much of another attempt. */
const PER_REQUEST = 0.2
/** Attempts that can be had at once when all is well. */
const MOST = 100
/** A gateway that serves little may still try a few times. */
const PER_SECOND = 2

export type RetryBudget = ReturnType<typeof createRetryBudget>

/**
 * Further attempts that all requests together may make, so that upstreams which fail are not asked many times as much
 * as usual. @param now monotonic milliseconds
 */
export function createRetryBudget(now: () => number) {
  let left = MOST
  let refilledAt = now()
  const add = (attempts: number) => {
    left = Math.min(MOST, left + attempts)
  }
  return {
    request(): void {
      add(PER_REQUEST)
    },
    /** Takes one further attempt. @returns false: there is none */
    retry(): boolean {
      const time = now()
      add(((time - refilledAt) / 1_000) * PER_SECOND)
      refilledAt = time
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
