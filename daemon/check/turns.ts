/** How long a key waits behind the others. */
const BEHIND_MS = 60_000

/**
 * What waits, by key: keys take turns, and those that were put behind come when nobody else waits.
 * @param now monotonic milliseconds @param most of all keys; one key may have half of them
 */
export function createTurns<J extends { readonly keyId: string }>(now: () => number, most: number) {
  /** The key whose turn it is comes first; none is empty. */
  const waiting = new Map<string, J[]>()
  const behindUntil = new Map<string, number>()
  let count = 0

  const isBehind = (keyId: string): boolean => now() < (behindUntil.get(keyId) ?? Number.NEGATIVE_INFINITY)

  return {
    /** @returns false when too many wait */
    add(job: J): boolean {
      const own = waiting.get(job.keyId) ?? []
      if (count >= most || own.length >= Math.ceil(most / 2)) return false
      count += 1
      own.push(job)
      waiting.set(job.keyId, own)
      return true
    },
    next(): J | undefined {
      const keys = [...waiting.keys()]
      const keyId = keys.find((key) => !isBehind(key)) ?? keys[0]
      if (keyId === undefined) return undefined
      const own = waiting.get(keyId) ?? []
      const job = own.shift()
      count -= 1
      waiting.delete(keyId)
      if (own.length > 0) waiting.set(keyId, own) // as the last
      return job
    },
    putBehind(keyId: string): void {
      for (const key of behindUntil.keys()) if (!isBehind(key)) behindUntil.delete(key)
      behindUntil.set(keyId, now() + BEHIND_MS)
    },
  }
}
