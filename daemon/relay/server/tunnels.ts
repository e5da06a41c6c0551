import type { TLSSocket } from 'node:tls'
import type { RelayTunnel } from '../../../schemas/relay-admin.ts'
import { addressBlocks, parseHostPort } from '../../../schemas/words/address.ts'
import type { Log } from '../../../schemas/words/log.ts'
import { TUNNEL_SETTINGS } from '../protocol.ts'
import { createCopiedKeys } from './copied-keys.ts'
import { toldNames, welcomeOf } from './greeting.ts'
import type { Counts, TunnelRefusal } from './metrics.ts'
import type { createNodeMeters } from './node-meters.ts'
import type { NodeRequests, Presence, RelayLimits, Requester } from './parts.ts'
import { createRegistrations } from './registrations.ts'
import { createShares } from './shares.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'
import { createVouching } from './vouching.ts'

type TunnelsParts = {
  readonly relayId: string
  readonly limits: () => RelayLimits
  readonly presence: Presence
  readonly requests: NodeRequests
  readonly meters: ReturnType<typeof createNodeMeters>
  /** Host names that lead to a node. */
  readonly namesFor: (nodeId: string) => readonly string[]
  readonly counts: Counts
  readonly pingEveryMs: number
  readonly now: () => number
  readonly random: (bytes: number) => Buffer
  readonly log: Log
}

const TUNNEL_ID_BYTES = 8
/** Under pressure each stream may bring so much before it was passed on. */
const SMALL_WINDOW_BYTES = 2 ** 18
/** Nodes come back over so long, each at a time of its own. */
const SPREAD_MS = 10_000

/** The nodes that are connected, by key. */
export function createTunnels(parts: TunnelsParts) {
  const { relayId, limits, presence, requests, meters, namesFor, counts, pingEveryMs, now, random, log } = parts
  const byNode = new Map<string, Tunnel[]>()
  const registrations = createRegistrations(() => limits().registrationsPerMinute, now)
  const vouch = createVouching(relayId, presence, now)
  const copiedKeys = createCopiedKeys({ counts, now, log })
  const shares = createShares(() => limits().tunnelsPerAddress)
  /** What each tunnel has of the share of its address. */
  const taken = new Map<Tunnel, () => void>()
  /** Ends each connection whose hello is awaited, oldest first. */
  const unknown = new Set<() => void>()
  let count = 0
  let isDraining = false
  let isSmall = false

  function take(socket: TLSSocket, requester: Requester, address: string): void {
    const isTooOften = !registrations.take(requester.nodeId)
    for (const oldest of unknown) {
      if (unknown.size < limits().unparsed) break
      counts.tunnelsRefused.silent += 1
      oldest()
    }
    const leave = openTunnel({
      socket,
      requester,
      tunnelId: random(TUNNEL_ID_BYTES).toString('hex'),
      address,
      requests,
      pingEveryMs,
      windowBytes: limits().windowBytes,
      now,
      log,
      welcome(tunnel) {
        const refusal = isTooOften ? 'registrations' : add(tunnel)
        const { nodeId, tunnelId } = tunnel
        if (refusal === null)
          return welcomeOf({ relayId, tunnelId, limits: limits(), names: namesFor(nodeId), peers: presence.peers() })
        counts.tunnelsRefused[refusal] += 1
        return { type: 'error', code: refusal }
      },
      refused(why) {
        counts.tunnelsRefused[why] += 1
      },
      known: () => unknown.delete(leave),
      vouch: (tunnel, said) => vouch(tunnel, requester.spki, said),
      answered: (tunnel) => copiedKeys.answered(tunnel, byNode.get(tunnel.nodeId) ?? NO_TUNNELS),
      closed: remove,
    })
    unknown.add(leave)
  }

  /** @returns null: it is there; else why not */
  function add(tunnel: Tunnel): TunnelRefusal | null {
    const { nodeId, address } = tunnel
    if (isDraining) return 'draining'
    if (count >= limits().tunnels) return 'tunnels'
    const release = shares.take(addressBlocks(parseHostPort(address).host))
    if (release === null) return 'address-limit'
    taken.set(tunnel, release)
    const others = byNode.get(nodeId) ?? []
    copiedKeys.came(tunnel, others)
    byNode.set(nodeId, [...others, tunnel])
    count += 1
    counts.tunnels += 1
    if (isSmall) setWindow(tunnel)
    log('info', 'a node has connected', { subject: nodeId, client: address })
    // the oldest one has most likely lost its other end without anyone having noticed
    if (others.length >= limits().tunnelsPerNode) others[0]?.leave()
    return null
  }

  function remove(tunnel: Tunnel, isLost: boolean): void {
    const { nodeId, tunnelId, address } = tunnel
    const left = (byNode.get(nodeId) ?? []).filter((other) => other !== tunnel)
    if (left.length === 0) byNode.delete(nodeId)
    else byNode.set(nodeId, left)
    count -= 1
    taken.get(tunnel)?.()
    taken.delete(tunnel)
    if (isLost) counts.tunnelsLost += 1
    presence.withdraw(nodeId, tunnelId)
    const reason = isLost ? 'it did not answer' : 'the connection has ended'
    log('info', 'a node has gone', { subject: nodeId, client: address, reason })
  }

  function setWindow({ session }: Tunnel): void {
    const { windowBytes } = limits()
    const initialWindowSize = isSmall ? Math.min(SMALL_WINDOW_BYTES, windowBytes) : windowBytes
    if (!session.destroyed) session.settings({ ...TUNNEL_SETTINGS, initialWindowSize })
  }

  const all = () => [...byNode.values()].flat()

  return {
    take,
    /** Its tunnels that take visitors, the least busy one first. */
    of: (nodeId: string): readonly Tunnel[] =>
      (byNode.get(nodeId) ?? NO_TUNNELS)
        .filter(takesVisitors)
        .sort((a, b) => a.visitors - b.visitors || b.sinceMs - a.sinceMs),
    /** Whether there is one that takes visitors. */
    has: (nodeId: string): boolean => byNode.get(nodeId)?.some(takesVisitors) === true,
    isDraining: () => isDraining,
    nodes: () => byNode.size,
    count: () => count,
    /** Tells a node that its names are others now. */
    tellNames(nodeId: string): void {
      for (const { say } of byNode.get(nodeId) ?? []) say({ type: 'names', names: toldNames(namesFor(nodeId)) })
    },
    setPressure(isHigh: boolean): void {
      isSmall = isHigh
      for (const tunnel of all()) setWindow(tunnel)
    },
    /** Takes no more nodes, and asks those that are there to go elsewhere, each at its own time. */
    drain(): void {
      isDraining = true
      for (const { say } of all())
        say({ type: 'drain', reconnectAfterMs: Math.floor((random(2).readUInt16BE(0) / 2 ** 16) * SPREAD_MS) })
    },
    /** Says goodbye, and waits for nothing. */
    close(): void {
      for (const { session, leave } of all()) {
        if (!session.destroyed) session.goaway()
        leave()
      }
      for (const leave of unknown) leave()
    },
    status: (): RelayTunnel[] =>
      all().map((tunnel) => {
        const { nodeId, tunnelId, instanceId, address, sinceMs, visitors, rttMs } = tunnel
        const { bytesIn, bytesOut } = meters.of(nodeId)
        const names = namesFor(nodeId)
        const connectedMs = now() - sinceMs
        const isCopied = copiedKeys.isCopied(nodeId)
        return {
          nodeId,
          tunnelId,
          instanceId,
          isCopied,
          names,
          address,
          connectedMs,
          visitors,
          bytesIn,
          bytesOut,
          rttMs,
        }
      }),
  }
}

const NO_TUNNELS: readonly Tunnel[] = []

const takesVisitors = ({ isDraining, session }: Tunnel): boolean => !isDraining && !session.closed && !session.destroyed
