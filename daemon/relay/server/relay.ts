import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { RelayTunnel } from '../../../schemas/relay-admin.ts'
import { isNodeId, PING_EVERY_MS } from '../protocol.ts'
import { createAddresses } from './addresses.ts'
import { createChallenges } from './challenges.ts'
import { createDrain } from './drain.ts'
import { socketEnd } from './ends.ts'
import { type Arrival, createFront } from './front.ts'
import { hopName } from './hop-dial.ts'
import { answer, createHops } from './hops.ts'
import { ALERT, sayAlert } from './last-words.ts'
import { createCounts, metricsText } from './metrics.ts'
import { createNodeMeters } from './node-meters.ts'
import type { Visit } from './opening.ts'
import { createOwnDoor, idOfOwnKey } from './own-door.ts'
import type { RelayParts } from './parts.ts'
import { createPassages } from './passages.ts'
import { createPage } from './status-page.ts'
import { createTunnels } from './tunnels.ts'
import { createVisitors } from './visitors.ts'

/** Routes visitors by the name in their ClientHello to the nodes that have dialled in. It never ends their TLS. */
export type Relay = {
  /** Id of this relay among those of its domain. */
  readonly id: string
  /** Takes a connection of the port for visitors; nodes dial that one too. */
  takeVisitor(socket: Socket): void
  /** Takes a connection of the port for nodes: who names no host there means the relay itself. */
  takeTunnel(socket: Socket): void
  /** The names of a node have changed. */
  tellNames(nodeId: string): void
  /** Asks nodes to go elsewhere; where there are other relays visitors are taken for a while, so listen until then. */
  release(signal: AbortSignal): Promise<void>
  /** Waits for visitors until `limits.drainMs` after the begin of the release. */
  drain(): Promise<void>
  status(): RelayTunnel[]
  metrics(): string
  close(): void
}

const CHALLENGE = 'acme-tls/1'
const CONNECTION_ID_BYTES = 8
/** Until a home has taken a visitor, over all tries. */
const OPENING_MS = 10_000

type Door = 'visitors' | 'nodes'

export function createRelay(parts: RelayParts): Relay {
  const { names, presence, requests, settings, limits, identity, ownKey, now, random, log } = parts
  const { pingEveryMs = PING_EVERY_MS, openingMs = OPENING_MS } = parts
  const id = idOfOwnKey(ownKey)
  const counts = createCounts()
  const addresses = createAddresses(limits, now)
  const challenges = createChallenges(limits, now)
  const meters = createNodeMeters(limits, now)
  const tunnels = createTunnels({
    relayId: id,
    limits,
    presence,
    requests,
    meters,
    namesFor,
    counts,
    pingEveryMs,
    now,
    random,
    log,
  })
  const passages = createPassages({ limits, counts, onPressure: tunnels.setPressure, now })
  const hops = createHops({
    ownKey,
    domain: () => settings().domain,
    presence,
    arrive: arriveFromRelay,
    pingEveryMs,
    log,
  })
  const visitors = createVisitors({ tunnels, passages, meters, presence, hops, limits, counts, openingMs, now, log })
  const draining = createDrain({ tunnels, passages, presence, limits, now })
  const door = createOwnDoor({
    identity,
    ownKey,
    challenge: () => parts.challenge?.() ?? null,
    takeNode: tunnels.take,
    takeHop: hops.take,
    page: createPage(tunnels.status),
    refusedKey: () => {
      counts.tunnelsRefused.key += 1
    },
  })
  const frontOf = (kind: Door) =>
    createFront({ settings, limits, addresses, counts, arrive: (arrival) => arrive(arrival, kind) })
  const fronts = { visitors: frontOf('visitors'), nodes: frontOf('nodes') }

  function namesFor(nodeId: string): readonly string[] {
    return [`${nodeId}.${settings().domain}`, ...names.namesOf(nodeId)]
  }

  /** @returns id of the node that has a name; null: none */
  function nodeOf(host: string): string | null {
    const { domain } = settings()
    const label = host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1) : ''
    return isNodeId(label) ? label : names.ownerOf(host)
  }

  function arrive({ socket, hello, address, source, target }: Arrival, kind: Door): void {
    const { domain } = settings()
    const host = hello.name
    const isChallenge = hello.alpn.length === 1 && hello.alpn[0] === CHALLENGE
    if (host === `relay.${domain}` || (host === null && kind === 'nodes')) {
      if (isChallenge) door.takeChallenge(socket)
      else door.takeOwn(socket, source)
      return
    }
    if (host === hopName(domain)) {
      door.takeHop(socket)
      return
    }
    const refuse = (why: keyof typeof counts.refused, alert: number) => {
      counts.refused[why] += 1
      sayAlert(socket, alert)
    }
    const nodeId = host === null ? null : nodeOf(host)
    if (host === null || nodeId === null) {
      addresses.penalise(address)
      refuse(host === null ? 'no-name' : 'unknown-name', ALERT.unrecognizedName)
      return
    }
    if (!visitors.canReach(nodeId, 0)) {
      addresses.penalise(address)
      refuse(visitors.away(), ALERT.internalError)
      return
    }
    if (isChallenge && !challenges.take(host, address)) {
      refuse('challenge-limit', ALERT.accessDenied)
      return
    }
    const connection = random(CONNECTION_ID_BYTES).toString('hex')
    const head = socket.read() as Buffer | null // put back by who read the hello
    if (head === null) {
      socket.destroy()
      return
    }
    const visit = { host, source, target, relay: id, connection, hops: 0 }
    void visitors.pass(socketEnd(socket), nodeId, visit, head).then((refused) => {
      if (refused !== null) refuse(refused, ALERT.internalError)
    })
  }

  function arriveFromRelay(stream: ServerHttp2Stream, visit: Visit): void {
    const nodeId = nodeOf(visit.host)
    if (nodeId === null) answer(stream, 421)
    else visitors.takeFromRelay(stream, nodeId, visit)
  }

  return {
    id,
    takeVisitor: fronts.visitors.take,
    takeTunnel: fronts.nodes.take,
    tellNames: tunnels.tellNames,
    release: draining.release,
    drain: draining.drain,
    status: tunnels.status,
    metrics: () =>
      metricsText(counts, {
        visitors: passages.count(),
        nodes: tunnels.nodes(),
        tunnels: tunnels.count(),
        unparsed: fronts.visitors.waiting() + fronts.nodes.waiting(),
        bufferedBytes: passages.bufferedBytes(),
        addresses: addresses.size(),
      }),
    close() {
      passages.close()
      tunnels.close()
      hops.close()
    },
  }
}
