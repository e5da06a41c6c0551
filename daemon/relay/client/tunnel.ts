import { setMaxListeners } from 'node:events'
import { performServerHandshake } from 'node:http2'
import {
  type Control,
  type ControlMessage,
  claimBytes,
  EXPORTER,
  TUNNEL_RESETS,
  TUNNEL_SESSION_MEMORY,
  TUNNEL_SETTINGS,
  TUNNEL_WINDOW_BYTES,
  unknownFeature,
} from '../protocol.ts'
import { RENEW_ROUTE_MS, ROUTE_MS, routeBytes } from '../route-proof.ts'
import { createAsking } from './asking.ts'
import { openControl } from './control.ts'
import { dial, within } from './dial.ts'
import { keepAlive } from './health.ts'
import type { NodeIdentity } from './identity.ts'
import type { Room } from './room.ts'
import { isPrivate, type RelayAddress, type RelayTrust } from './trust.ts'
import { createVisitors, type PassVisitor, type TakeVisitor } from './visitors.ts'

export type TunnelParts = {
  readonly identity: NodeIdentity
  readonly trust: RelayTrust
  /** Another one at each start of the daemon. */
  readonly instanceId: string
  readonly take: TakeVisitor
  readonly pass: PassVisitor
  readonly room: Room
  /** Whether a host name can be this node's, whatever the relay says. */
  readonly mayBeOwn: (name: string) => boolean
  /** Takes no more visitors. */
  readonly isDraining: () => boolean
  /** Called when the host names that lead here have changed. */
  readonly named: () => void
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Unix milliseconds. */
  readonly wall: () => number
}

/** A connection to a relay that brings visitors. */
export type Tunnel = Awaited<ReturnType<typeof openTunnel>>

const WELCOME_MS = 10_000

/**
 * Dials a relay and waits to be welcome.
 * @throws Error that says why there is no tunnel
 */
export async function openTunnel(parts: TunnelParts, address: RelayAddress, signal: AbortSignal) {
  const { identity, now, wall } = parts
  const socket = await dial(identity, address, parts.trust, signal)
  const isInPrivate = isPrivate(socket.remoteAddress ?? '')
  const exporter = socket.exportKeyingMaterial(EXPORTER.bytes, EXPORTER.label, Buffer.alloc(0))
  const session = performServerHandshake(socket, {
    settings: TUNNEL_SETTINGS,
    maxSessionMemory: TUNNEL_SESSION_MEMORY,
    ...TUNNEL_RESETS,
  })
  const connectedAtMs = now()
  const welcomed = Promise.withResolvers<Control<'welcome'>>()
  const leaving = Promise.withResolvers<void>()
  const left = new AbortController()
  const closed = Promise.withResolvers<void>()
  /** As the relay says. */
  let said: readonly string[] = []
  const names = () => said.filter(parts.mayBeOwn)
  let mostVisitors = 0
  let drainsAfterMs: number | null = null
  let endReason = 'the relay closed the connection'

  setMaxListeners(0, left.signal) // one for each connection
  session.setLocalWindowSize(TUNNEL_WINDOW_BYTES)
  session.on('error', () => {}) // its close says the same
  session.once('goaway', () => leave(0))
  session.once('close', () => {
    welcomed.reject(new Error(endReason))
    leaving.resolve()
    closed.resolve()
  })
  const visitors = createVisitors({
    take: parts.take,
    pass: parts.pass,
    room: parts.room,
    isOwn: (name) => said.includes(name) && parts.mayBeOwn(name),
    isDraining: parts.isDraining,
    leaving: left.signal,
    most: () => mostVisitors,
  })
  const control = openControl(session, parts, read, end)
  const asking = createAsking(control.send, closed.promise)
  session.on('stream', (stream, headers) => {
    if (stream.destroyed || stream.closed) return // it was reset before it was seen
    try {
      if (headers[':method'] === 'CONNECT') visitors.accept(stream, headers)
      else if (!control.accept(stream, headers)) stream.close()
    } catch (error) {
      end(error instanceof Error ? error.message : String(error))
    }
  })

  function end(reason: string): void {
    endReason = reason
    session.destroy()
  }

  function leave(afterMs: number): void {
    drainsAfterMs ??= afterMs
    leaving.resolve()
    left.abort()
  }

  function read(message: ControlMessage): void {
    switch (message.type) {
      case 'welcome':
        begin(message)
        break
      case 'names':
        said = message.names
        parts.named()
        break
      case 'drain':
        leave(message.reconnectAfterMs)
        break
      case 'answer':
        asking.answered(message)
        break
      case 'error':
        end(refusalOf(message))
        break
      default: // what only a node says
    }
  }

  function begin(message: Control<'welcome'>): void {
    const unknown = unknownFeature(message.critical)
    if (unknown !== undefined) {
      end(`the relay insists on ${unknown}, which this version does not know`)
      return
    }
    mostVisitors = message.limits.streams
    said = message.names
    vouch(message)
    welcomed.resolve(message)
  }

  /** Other relays pass visitors on to this one for as long as that holds. */
  function vouch({ relayId, tunnelId }: Control<'welcome'>): void {
    const expiresAtMs = wall() + ROUTE_MS
    const signature = identity.sign(routeBytes({ nodeId: identity.nodeId, relayId, tunnelId }, expiresAtMs))
    control.send({ type: 'route', expiresAtMs, signature: signature.toString('base64url') })
  }

  const welcome = await within(welcomed.promise, WELCOME_MS, signal, `no welcome in ${WELCOME_MS / 1_000} s`).catch(
    (error: unknown) => {
      session.destroy()
      throw error
    },
  )
  const vouching = setInterval(() => vouch(welcome), RENEW_ROUTE_MS).unref()
  session.once('close', () => clearInterval(vouching))
  const health = keepAlive(session, now, () => end('the relay did not answer for 30 s'))

  return {
    address,
    relayId: welcome.relayId,
    /** Other relays of the domain. */
    peers: welcome.peers,
    /** Whether the relay is in a private network or on this host. */
    isInPrivate,
    connectedAtMs,
    /** Host names that lead here by this relay. */
    names,
    /** Names that the relay says, and that cannot be this node's. */
    foreign: () => said.filter((name) => !parts.mayBeOwn(name)),
    rttMs: health.rttMs,
    visitors: visitors.count,
    isOpen: () => !session.closed && !session.destroyed && drainsAfterMs === null,
    /** When the relay begins to leave, or has gone. */
    leaving: leaving.promise,
    /** When nothing goes through it any more. */
    closed: closed.promise,
    endReason: () => endReason,
    /** How long to wait with another tunnel; null: the relay did not say that it leaves. */
    drainsAfterMs: () => drainsAfterMs,
    /** Asks the relay for a name. @returns a stable word, `ok` when it is given */
    claim(name: string, invite: string | undefined): Promise<Control<'answer'>> {
      const { nodeId } = identity
      const signature = identity.sign(claimBytes(exporter, { name, nodeId })).toString('base64url')
      return asking.ask((id) => ({ type: 'claim', id, name, ...(invite !== undefined && { invite }), signature }))
    },
    release: (name: string): Promise<Control<'answer'>> => asking.ask((id) => ({ type: 'release', id, name })),
    /** Takes no more visitors, and ends with the last. */
    leave(): void {
      leave(0)
      if (session.destroyed) return
      session.goaway()
      visitors.whenNone(() => session.destroy())
    },
    /** Ends now. */
    cut: (): void => session.destroy(),
  }
}

function refusalOf({ code, min, max }: Control<'error'>): string {
  return min === undefined ? `the relay says ${code}` : `the relay says ${code}: it speaks versions ${min} to ${max}`
}
