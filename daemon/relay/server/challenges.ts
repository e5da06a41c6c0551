import { addressBlock } from '../../../schemas/words/address.ts'
import type { RelayLimits } from './parts.ts'

const HOUR_MS = 3_600_000
/** Of names and addresses together; the oldest give way. */
const MOST_COUNTS = 2 ** 14

/**
 * Bounds how often one address (IPv4, IPv6 /64) has a name validated. It is counted for each, since anyone can say that
 * they validate a name: one count for all would keep its CA out.
 */
export function createChallenges(limits: () => RelayLimits, now: () => number) {
  const counts = new Map<string, { count: number; atMs: number }>()
  return {
    /** Counts one more. @param name that leads to a node @returns false once there were too many in the last hour */
    take(name: string, address: string): boolean {
      const time = now()
      const key = `${name} ${addressBlock(address)}`
      const known = counts.get(key)
      const entry = known === undefined || time - known.atMs >= HOUR_MS ? { count: 0, atMs: time } : known
      counts.delete(key)
      for (const oldest of counts.keys()) {
        if (counts.size < MOST_COUNTS) break
        counts.delete(oldest)
      }
      counts.set(key, entry)
      entry.count += 1
      return entry.count <= limits().challengesPerHour
    },
  }
}
