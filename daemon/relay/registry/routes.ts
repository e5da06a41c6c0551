import { z } from 'zod'
import { isRouteSigned, ROUTE_MS, type RouteProof } from '../route-proof.ts'
import type { Route } from './registry.ts'

const storedProof = z.object({
  key: z.string().max(1_024),
  expiresAtMs: z.number(),
  signature: z.string().max(1_024),
})

type Announced = Route & {
  readonly proof: RouteProof
  /** Whether the node has signed it; looked at when a visitor needs it. */
  isSigned?: boolean
}

/** A node whose clock is ahead by more vouches for longer than it should. */
const MOST_AHEAD_MS = 3 * ROUTE_MS
/** Of one node; when there are more, those that are not signed go first, then the oldest. */
const MOST_ROUTES = 32
/** Relays that are told about once each. */
const MOST_FORGERS = 64

const NONE: readonly Announced[] = []

/**
 * Where nodes have tunnels, by what relays have announced. What is in the registry is not believed: a relay can write
 * there that any node is connected to it, and only the node itself can say so.
 * @param forged told once of each relay that has announced what its node did not sign
 */
export function createRoutes(forged: (relayId: string, nodeId: string) => void) {
  const byNode = new Map<string, readonly Announced[]>()
  const forgers = new Set<string>()

  function isSigned(nodeId: string, route: Announced): boolean {
    if (route.isSigned !== undefined) return route.isSigned
    const { relay: relayId, tunnel: tunnelId, proof } = route
    route.isSigned = isRouteSigned({ nodeId, relayId, tunnelId }, proof)
    if (!route.isSigned && !forgers.has(relayId) && forgers.size < MOST_FORGERS) {
      forgers.add(relayId)
      forged(relayId, nodeId)
    }
    return route.isSigned
  }

  return {
    /** @param value as stored; undefined: withdrawn */
    take(nodeId: string, relay: string, tunnel: string, value: string | undefined, epoch: number): void {
      const others = (byNode.get(nodeId) ?? NONE).filter((route) => route.relay !== relay || route.tunnel !== tunnel)
      const proof = value === undefined ? undefined : readProof(value)
      const all = proof === undefined ? others : [...others, { relay, tunnel, epoch, proof }]
      if (all.length === 0) byNode.delete(nodeId)
      else {
        const newestFirst = all.sort((a, b) => b.epoch - a.epoch)
        const kept = all.length > MOST_ROUTES ? newestFirst.filter((route) => isSigned(nodeId, route)) : newestFirst
        byNode.set(nodeId, kept.slice(0, MOST_ROUTES))
      }
    },
    of(nodeId: string, nowMs: number): readonly Route[] {
      const announced = byNode.get(nodeId) ?? NONE
      return announced.filter((route) => isInTime(route.proof, nowMs) && isSigned(nodeId, route))
    },
  }
}

/** Whether a route is in force, by clocks that differ by a day at most. */
export const isInTime = ({ expiresAtMs }: RouteProof, nowMs: number): boolean =>
  expiresAtMs > nowMs && expiresAtMs <= nowMs + MOST_AHEAD_MS

function readProof(value: string): RouteProof | undefined {
  try {
    return storedProof.safeParse(JSON.parse(value)).data
  } catch {
    return undefined
  }
}
