import { addressBlock } from '../../../schemas/words/address.ts'
import type { RelayLimits } from './parts.ts'

/** Of one block: what is open, and how many it may begin now. */
type Source = { open: number; left: number; atMs: number }

/** What is known at most. An attacker with many networks pushes out none that has something open. */
const MOST_SOURCES = 2 ** 16
const SWEEP_EVERY_MS = 1_000
/** What an unknown name costs beside the connection: who guesses names is slowed down soon. */
const PENALTY = 4

/** Bounds what one IPv4 address, or one /64, may begin and keep open. */
export function createAddresses(limits: () => RelayLimits, now: () => number) {
  const sources = new Map<string, Source>()
  let sweptAtMs = now()

  function sourceOf(block: string): Source | null {
    const { burstPerAddress, newPerAddressPerSecond } = limits()
    const time = now()
    let source = sources.get(block)
    if (source === undefined) {
      if (sources.size >= MOST_SOURCES) return null
      source = { open: 0, left: burstPerAddress, atMs: time }
      sources.set(block, source)
    }
    source.left = Math.min(burstPerAddress, source.left + ((time - source.atMs) / 1_000) * newPerAddressPerSecond)
    source.atMs = time
    return source
  }

  function sweep(): void {
    const time = now()
    if (time - sweptAtMs < SWEEP_EVERY_MS) return
    sweptAtMs = time
    const { burstPerAddress, newPerAddressPerSecond } = limits()
    for (const [block, { open, left, atMs }] of sources)
      if (open === 0 && left + ((time - atMs) / 1_000) * newPerAddressPerSecond >= burstPerAddress)
        sources.delete(block)
  }

  return {
    /** Counts a connection. @returns what ends the counting, or null: the address has, or begins, as many as it may */
    take(address: string): (() => void) | null {
      sweep()
      const source = sourceOf(addressBlock(address))
      if (source === null || source.left < 1 || source.open >= limits().openPerAddress) return null
      source.left -= 1
      source.open += 1
      let isOpen = true
      return () => {
        if (isOpen) source.open -= 1
        isOpen = false
      }
    },
    /** It asked for a name that does not exist. */
    penalise(address: string): void {
      const source = sources.get(addressBlock(address))
      if (source !== undefined) source.left -= PENALTY
    },
    size: () => sources.size,
  }
}
