import type { TLSSocket } from 'node:tls'
import type { Log } from '../../../schemas/words/log.ts'
import { FEATURES, PROTO, TUNNEL_SETTINGS, type writeMessage } from '../protocol.ts'
import type { Counts } from './metrics.ts'
import type { createNodeMeters } from './node-meters.ts'
import type { NodeRequests, Presence, RelayLimits, Requester, TunnelStatus } from './parts.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'

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
const MINUTE_MS = 60_000
/** Keys that are remembered for how often they have come. */
const MOST_KEYS = 2 ** 16
/** What a message tells, which has 16 KiB at most. */
const [MOST_NAMES, MOST_PEERS] = [32, 16]
/** Under pressure each stream may bring so much before it was passed on. */
const SMALL_WINDOW_BYTES = 2 ** 18
/** Nodes come back over so long, each at a time of its own. */
const SPREAD_MS = 10_000

/** The nodes that are connected, by key. */
export function createTunnels(parts: TunnelsParts) {
  const { relayId, limits, presence, requests, meters, namesFor, counts, pingEveryMs, now, random, log } = parts
  const byNode = new Map<string, Tunnel[]>()
  const comings = new Map<string, { left: number; atMs: number }>()
  let count = 0
  let isDraining = false
  let isSmall = false

  /** A key may come so often in a minute. */
  function mayCome(nodeId: string): boolean {
    const { registrationsPerMinute } = limits()
    const time = now()
    for (const [id, { atMs }] of comings) {
      if (comings.size < MOST_KEYS && time - atMs < MINUTE_MS) break
      comings.delete(id)
    }
    const known = comings.get(nodeId) ?? { left: registrationsPerMinute, atMs: time }
    comings.delete(nodeId) // the oldest stays first
    const left = Math.min(
      registrationsPerMinute,
      known.left + ((time - known.atMs) / MINUTE_MS) * registrationsPerMinute,
    )
    comings.set(nodeId, { left: Math.max(0, left - 1), atMs: time })
    return left >= 1
  }

  function take(socket: TLSSocket, requester: Requester, address: string): void {
    const refusal = isDraining
      ? 'draining'
      : !mayCome(requester.nodeId)
        ? 'registrations'
        : count >= limits().tunnels
          ? 'tunnels'
          : null
    openTunnel({
      socket,
      requester,
      tunnelId: random(TUNNEL_ID_BYTES).toString('hex'),
      address,
      requests,
      pingEveryMs,
      windowBytes: limits().windowBytes,
      now,
      welcome(tunnel) {
        if (refusal !== null || isDraining) {
          counts.tunnelsRefused[refusal ?? 'draining'] += 1
          return { type: 'error', code: refusal ?? 'draining' }
        }
        add(tunnel)
        return welcomeFor(tunnel)
      },
      closed: remove,
    })
  }

  function welcomeFor({ nodeId }: Tunnel): Parameters<typeof writeMessage>[0] & { readonly type: 'welcome' } {
    const { streamsPerNode, bytesPerSecondPerNode } = limits()
    return {
      type: 'welcome',
      proto: PROTO,
      features: [...FEATURES],
      relayId,
      limits: { streams: streamsPerNode, bytesPerSecond: bytesPerSecondPerNode },
      names: namesOf(nodeId),
      peers: presence
        .peers()
        .slice(0, MOST_PEERS)
        .map(({ id, address }) => ({ id, address })),
    }
  }

  function add(tunnel: Tunnel): void {
    const { nodeId, tunnelId, instanceId, address } = tunnel
    const others = byNode.get(nodeId) ?? []
    if (others.some((other) => other.instanceId !== instanceId && !other.isDraining)) {
      counts.copiedKeys += 1
      log('warn', 'one key has tunnels of two daemons: it was copied, or one of them has just restarted', {
        subject: nodeId,
        client: address,
      })
    }
    byNode.set(nodeId, [...others, tunnel])
    count += 1
    counts.tunnels += 1
    if (isSmall && !tunnel.session.destroyed)
      tunnel.session.settings({ ...TUNNEL_SETTINGS, initialWindowSize: SMALL_WINDOW_BYTES })
    presence.announce(nodeId, tunnelId)
    log('info', 'a node has connected', { subject: nodeId, client: address })
    // the oldest one has most likely lost its other end without anyone having noticed
    if (others.length >= limits().tunnelsPerNode) others[0]?.session.destroy()
  }

  function remove(tunnel: Tunnel, isLost: boolean): void {
    const { nodeId, tunnelId, address } = tunnel
    const left = (byNode.get(nodeId) ?? []).filter((other) => other !== tunnel)
    if (left.length === 0) byNode.delete(nodeId)
    else byNode.set(nodeId, left)
    count -= 1
    if (isLost) counts.tunnelsLost += 1
    presence.withdraw(nodeId, tunnelId)
    const reason = isLost ? 'it did not answer' : 'the connection has ended'
    log('info', 'a node has gone', { subject: nodeId, client: address, reason })
  }

  const all = () => [...byNode.values()].flat()
  const namesOf = (nodeId: string) => namesFor(nodeId).slice(0, MOST_NAMES)

  return {
    take,
    /** Its tunnels that take visitors, the least busy one first. */
    of(nodeId: string): readonly Tunnel[] {
      const tunnels = byNode.get(nodeId)
      if (tunnels === undefined) return []
      return tunnels
        .filter(({ isDraining, session }) => !isDraining && !session.closed && !session.destroyed)
        .sort((a, b) => a.visitors - b.visitors || b.sinceMs - a.sinceMs)
    },
    nodes: () => byNode.size,
    count: () => count,
    /** Tells a node that its names are others now. */
    tellNames(nodeId: string): void {
      for (const { say } of byNode.get(nodeId) ?? []) say({ type: 'names', names: namesOf(nodeId) })
    },
    setPressure(isHigh: boolean): void {
      isSmall = isHigh
      const initialWindowSize = isHigh ? Math.min(SMALL_WINDOW_BYTES, limits().windowBytes) : limits().windowBytes
      for (const { session } of all())
        if (!session.destroyed) session.settings({ ...TUNNEL_SETTINGS, initialWindowSize })
    },
    /** Takes no more nodes, and asks those that are there to go elsewhere, each at its own time. */
    drain(): void {
      isDraining = true
      for (const { say } of all())
        say({ type: 'drain', reconnectAfterMs: Math.floor((random(2).readUInt16BE(0) / 2 ** 16) * SPREAD_MS) })
    },
    /** Says goodbye, and waits for nothing. */
    close(): void {
      for (const { session } of all()) {
        if (!session.destroyed) session.goaway()
        session.destroy()
      }
    },
    status: (): TunnelStatus[] =>
      all().map((tunnel) => {
        const { nodeId, tunnelId, instanceId, address, sinceMs, visitors, rttMs } = tunnel
        const { bytesIn, bytesOut } = meters.of(nodeId)
        const names = namesFor(nodeId)
        const connectedMs = now() - sinceMs
        return { nodeId, tunnelId, instanceId, names, address, connectedMs, visitors, bytesIn, bytesOut, rttMs }
      }),
  }
}
