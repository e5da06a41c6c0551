const MINUTE_MS = 60_000
/** Keys that are remembered for how often they have come; those that have not come for longest are forgotten. */
const MOST_KEYS = 2 ** 16

/** Bounds how often one key may begin a tunnel. */
export function createRegistrations(perMinute: () => number, now: () => number) {
  const comings = new Map<string, { left: number; atMs: number }>()
  return {
    /** Counts one more. @returns false: there were too many in the last minute */
    take(nodeId: string): boolean {
      const most = perMinute()
      const time = now()
      for (const [id, { atMs }] of comings) {
        if (comings.size < MOST_KEYS && time - atMs < MINUTE_MS) break
        comings.delete(id)
      }
      const known = comings.get(nodeId) ?? { left: most, atMs: time }
      comings.delete(nodeId) // the oldest stays first
      const left = Math.min(most, known.left + ((time - known.atMs) / MINUTE_MS) * most)
      comings.set(nodeId, { left: Math.max(0, left - 1), atMs: time })
      return left >= 1
    },
  }
}
