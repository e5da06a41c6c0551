import type { Control } from '../protocol.ts'
import { isRouteSigned } from '../route-proof.ts'
import type { Presence } from './parts.ts'
import type { Tunnel } from './tunnel.ts'

/** A node that vouches for its tunnel more often is not heard: each time is written to the registry. */
const LEAST_MS = 60_000

/** Announces tunnels that their nodes have vouched for: other relays believe no others. @param now monotonic milliseconds */
export function createVouching(relayId: string, presence: Presence, now: () => number) {
  const heardMs = new WeakMap<Tunnel, number>()

  /** @returns false: the key of the node has not signed it */
  return (tunnel: Tunnel, spki: Buffer, { expiresAtMs, signature }: Control<'route'>): boolean => {
    const { nodeId, tunnelId } = tunnel
    if (now() - (heardMs.get(tunnel) ?? -LEAST_MS) < LEAST_MS) return true
    const proof = { key: spki.toString('base64url'), expiresAtMs, signature }
    if (!isRouteSigned({ nodeId, relayId, tunnelId }, proof)) return false
    heardMs.set(tunnel, now())
    presence.announce(nodeId, tunnelId, proof)
    return true
  }
}
