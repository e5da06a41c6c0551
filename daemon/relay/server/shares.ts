import type { addressBlocks } from '../../../schemas/words/address.ts'

/** A network (IPv4 /24, IPv6 /48) may have as much as so many addresses (IPv4, IPv6 /64) of it. */
export const NETWORK_SHARE = 8

/** Bounds what one address, and one network, have open of what is there for all. @param most of one address */
export function createShares(most: () => number) {
  const open = new Map<string, number>()
  const count = (of: string, by: number) => {
    const now = (open.get(of) ?? 0) + by
    if (now === 0) open.delete(of)
    else open.set(of, now)
  }
  return {
    /** Counts one more. @returns ends the counting, and may be called any number of times; null: there are as many as may be */
    take({ block, network }: ReturnType<typeof addressBlocks>): (() => void) | null {
      if ((open.get(block) ?? 0) >= most() || (open.get(network) ?? 0) >= most() * NETWORK_SHARE) return null
      count(block, 1)
      count(network, 1)
      let isOpen = true
      return () => {
        if (!isOpen) return
        isOpen = false
        count(block, -1)
        count(network, -1)
      }
    },
    /** How many addresses and networks have something open. */
    size: () => open.size,
  }
}
