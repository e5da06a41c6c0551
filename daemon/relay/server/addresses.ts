import { addressBlocks } from '../../../schemas/words/address.ts'
import type { RelayLimits } from './parts.ts'
import { createShares, NETWORK_SHARE } from './shares.ts'

/** How many one address, or one network, may begin now. */
type Budget = { left: number; atMs: number }

/** What is remembered at most; what has begun nothing for longest is forgotten. */
const MOST_BUDGETS = 2 ** 16
/** What an unknown name costs beside the connection: who guesses names is slowed down soon. */
const PENALTY = 4

/**
 * Bounds what one IPv4 address, or one IPv6 /64, may begin and keep open, and its network (/24, /48) eight times that:
 * keys and addresses of a network cost nothing, and what is there for all is not for one.
 */
export function createAddresses(limits: () => RelayLimits, now: () => number) {
  const budgets = new Map<string, Budget>()
  const shares = createShares(() => limits().openPerAddress)

  /** @param share how many addresses it counts for */
  function budgetOf(name: string, share: number): Budget {
    const { burstPerAddress, newPerAddressPerSecond } = limits()
    const time = now()
    const budget = budgets.get(name) ?? { left: burstPerAddress * share, atMs: time }
    const more = ((time - budget.atMs) / 1_000) * newPerAddressPerSecond * share
    budget.left = Math.min(burstPerAddress * share, budget.left + more)
    budget.atMs = time
    budgets.delete(name) // the oldest stays first
    budgets.set(name, budget)
    return budget
  }

  /** Forgets those that have all of their budget again. */
  function forget(): void {
    const { burstPerAddress, newPerAddressPerSecond } = limits()
    const before = now() - (2_000 * burstPerAddress) / newPerAddressPerSecond
    for (const [name, { atMs }] of budgets) {
      if (atMs > before && budgets.size <= MOST_BUDGETS) break
      budgets.delete(name)
    }
  }

  const budgetsOf = ({ block, network }: ReturnType<typeof addressBlocks>): readonly [Budget, Budget] => [
    budgetOf(block, 1),
    budgetOf(network, NETWORK_SHARE),
  ]

  return {
    /** Counts a connection. @returns what ends the counting, or null: the address has, or begins, as many as it may */
    take(address: string): (() => void) | null {
      const blocks = addressBlocks(address)
      const [own, network] = budgetsOf(blocks)
      forget()
      if (own.left < 1 || network.left < 1) return null
      const release = shares.take(blocks)
      if (release === null) return null
      own.left -= 1
      network.left -= 1
      return release
    },
    /** It asked for a name that does not exist. It never owes more than it may have. */
    penalise(address: string): void {
      const { burstPerAddress } = limits()
      const [own, network] = budgetsOf(addressBlocks(address))
      own.left = Math.max(-burstPerAddress, own.left - PENALTY)
      network.left = Math.max(-burstPerAddress * NETWORK_SHARE, network.left - PENALTY)
    },
    /** Addresses and networks that are remembered. */
    size: () => budgets.size,
  }
}
