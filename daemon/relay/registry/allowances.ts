/** So many at once, and one more each time that so many milliseconds have passed. */
export type Allowance = { readonly burst: number; readonly everyMs: number }

/** Who is remembered at most; those that have taken nothing for longest are forgotten. */
const MOST_REMEMBERED = 2 ** 16

/** Bounds how often one key, or one network, may do something. @param now monotonic milliseconds */
export function createAllowances({ burst, everyMs }: Allowance, now: () => number) {
  const takers = new Map<string, { used: number; atMs: number }>()

  const usedBy = (of: { readonly used: number; readonly atMs: number }, atMs: number): number =>
    Math.max(0, of.used - (atMs - of.atMs) / everyMs)

  function forget(atMs: number): void {
    for (const [who, taker] of takers) {
      if (takers.size < MOST_REMEMBERED && usedBy(taker, atMs) > 0) break
      takers.delete(who)
    }
  }

  return {
    /** Counts one more. @returns false: it has had its share, and nothing was counted */
    take(who: string): boolean {
      const atMs = now()
      const known = takers.get(who)
      const used = known === undefined ? 0 : usedBy(known, atMs)
      if (used + 1 > burst) return false
      takers.delete(who) // the oldest stays first
      forget(atMs)
      takers.set(who, { used: used + 1, atMs })
      return true
    },
    /** What was taken came to nothing. */
    giveBack(who: string): void {
      const known = takers.get(who)
      if (known !== undefined) known.used = Math.max(0, known.used - 1)
    },
    size: () => takers.size,
  }
}
