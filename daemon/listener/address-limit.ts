import { addressBlock, isLoopback } from '../../schemas/words/address.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Connection } from './connection.ts'

type AddressLimitParts = {
  /** How many connections one address may have, now. */
  readonly most: () => number
  /** Whether an address speaks for many clients. */
  readonly isProxy: (address: string) => boolean
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Log
}

/** Of one address: what is open, and how many it may begin at once. */
type Source = { open: number; left: number; atMs: number }

/** A client that closes each connection after one request may begin half as many a second, for hours. */
const REFILL_PER_SECOND = 1 / 2
/** After so long nothing is known of an address that has no connection open. */
const KNOWN_MS = 2_000
/** Addresses that are known; what is not counted any more goes first. */
const SWEEP_EVERY_MS = 1_000
const WARN_EVERY_MS = 60_000

/**
 * Bounds what one client can take from the others by connecting: connections that are open, and handshakes. What comes
 * from this host or a trusted proxy speaks for many, and is not bounded; an IPv6 client has the whole of its /64.
 */
export function createAddressLimit({ most, isProxy, now, log }: AddressLimitParts) {
  const sources = new Map<string, Source>()
  let sweptAtMs = now()
  let warnedAtMs = Number.NEGATIVE_INFINITY

  function sweep(): void {
    if (now() - sweptAtMs < SWEEP_EVERY_MS) return
    sweptAtMs = now()
    for (const [block, { open, atMs }] of sources) if (open === 0 && now() - atMs >= KNOWN_MS) sources.delete(block)
  }

  function warn(client: string, limit: number): void {
    if (now() - warnedAtMs < WARN_EVERY_MS) return
    warnedAtMs = now()
    const reason = 'server.max_connections_per_address is reached'
    log('warn', 'connections are refused: one address has, or begins, as many as it may', {
      client,
      reason,
      count: limit,
    })
  }

  return {
    /**
     * Counts a connection until it is closed.
     * @param peer address of the client; null: the proxy of this host
     * @returns false: the limit of its address is reached, so that it has to be closed
     */
    take(socket: Connection, peer: string | null): boolean {
      if (peer === null || peer === '' || isLoopback(peer) || isProxy(peer)) return true
      sweep()
      const limit = most()
      const block = addressBlock(peer)
      const source = sources.get(block) ?? { open: 0, left: limit, atMs: now() }
      sources.set(block, source)
      const refilled = ((now() - source.atMs) / 1_000) * limit * REFILL_PER_SECOND
      source.left = Math.min(limit, source.left + refilled)
      source.atMs = now()
      if (source.open >= limit || source.left < 1) {
        warn(peer, limit)
        return false
      }
      source.left -= 1
      source.open += 1
      socket.once('close', () => {
        source.open -= 1
      })
      return true
    },
    /** How many addresses are known. */
    size: () => sources.size,
  }
}
