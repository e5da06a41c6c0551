import type { RelayLimits } from './parts.ts'

const HOUR_MS = 3_600_000
/** Names that are remembered; the oldest give way. */
const MOST_NAMES = 2 ** 14

/**
 * Bounds how often a name is validated: whoever can make a CA ask again and again uses up what all names of the domain
 * may have there.
 */
export function createChallenges(limits: () => RelayLimits, now: () => number) {
  const names = new Map<string, { count: number; atMs: number }>()
  return {
    /** Counts one more. @returns false once there were too many in the last hour */
    isLeft(name: string): boolean {
      const time = now()
      const known = names.get(name)
      const entry = known === undefined || time - known.atMs >= HOUR_MS ? { count: 0, atMs: time } : known
      names.delete(name)
      for (const oldest of names.keys()) {
        if (names.size < MOST_NAMES) break
        names.delete(oldest)
      }
      names.set(name, entry)
      entry.count += 1
      return entry.count <= limits().challengesPerHour
    },
  }
}
