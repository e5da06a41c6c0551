import { type ClientHttp2Session, connect } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Log } from '../../../schemas/words/log.ts'
import {
  type Control,
  type ControlMessage,
  ProtocolError,
  TUNNEL_SESSION_MEMORY,
  TUNNEL_SETTINGS,
} from '../protocol.ts'
import { createAnswering } from './answering.ts'
import { openControl, type Refusal, type Said } from './control.ts'
import { unservable } from './greeting.ts'
import type { TunnelRefusal } from './metrics.ts'
import type { NodeRequests, Requester } from './parts.ts'
import { keepSession } from './session.ts'

/** A connection of a node that has said hello and was welcomed. */
export type Tunnel = {
  readonly nodeId: string
  readonly tunnelId: string
  readonly instanceId: string
  /** Address and port of the node. */
  readonly address: string
  readonly session: ClientHttp2Session
  readonly sinceMs: number
  rttMs: number | null
  /** Visitors of this tunnel. */
  visitors: number
  /** It gets no more visitors. */
  isDraining: boolean
  readonly say: (message: Said) => void
  /** Counts a visitor. @returns ends the counting; may be called any number of times */
  readonly carry: () => () => void
  /** Ends it now; may be called any number of times. */
  readonly leave: () => void
}

type TunnelParts = {
  readonly socket: TLSSocket
  readonly requester: Requester
  readonly tunnelId: string
  readonly address: string
  readonly requests: NodeRequests
  /** Decides about a node that has said hello. @returns its welcome, or why it is refused */
  readonly welcome: (tunnel: Tunnel, hello: Control<'hello'>) => (Said & { readonly type: 'welcome' }) | Refusal
  /** A connection did not become a tunnel. */
  readonly refused: (why: TunnelRefusal) => void
  /** It has said hello, or left before. */
  readonly known: () => void
  /** The node vouches for a tunnel that was welcomed. @returns false: not with its key */
  readonly vouch: (tunnel: Tunnel, said: Control<'route'>) => boolean
  /** It has answered a ping. */
  readonly answered: (tunnel: Tunnel) => void
  /** Called once for each tunnel that was welcomed, as soon as it is of no use. @param isLost it did not answer */
  readonly closed: (tunnel: Tunnel, isLost: boolean) => void
  readonly pingEveryMs: number
  /** What the node may send ahead for each visitor. */
  readonly windowBytes: number
  readonly now: () => number
  readonly log: Log
}

/** S22: to the end of the first message. */
const HELLO_MS = 5_000
const LAST_WORDS_MS = 1_000

/**
 * Runs the relay's side of a tunnel over a connection whose handshake is done.
 * @returns ends it now; may be called any number of times
 */
export function openTunnel(parts: TunnelParts): () => void {
  const { socket, requester, tunnelId, address, requests, welcome, refused, closed, windowBytes, now, log } = parts
  const { nodeId } = requester
  const session = connect(`https://${nodeId}`, {
    createConnection: () => socket,
    settings: { ...TUNNEL_SETTINGS, initialWindowSize: windowBytes },
    maxSessionMemory: TUNNEL_SESSION_MEMORY,
    maxReservedRemoteStreams: 0,
  })
  let tunnel: Tunnel | null = null

  const leave = keepSession({
    session,
    socket,
    pingEveryMs: parts.pingEveryMs,
    answered(rttMs) {
      if (tunnel === null) return
      tunnel.rttMs = rttMs
      parts.answered(tunnel)
    },
    left(isLost) {
      known()
      answering.stop()
      if (tunnel !== null) closed(tunnel, isLost)
    },
  })
  const helloTimer = setTimeout(() => {
    refused('silent')
    leave()
  }, HELLO_MS)
  const control = openControl({ session, nodeId, hear, broken, left: leave, now, log })
  const answering = createAnswering({ requester: { ...requester, address }, requests, say: control.say, log })
  session.once('goaway', () => {
    if (tunnel === null) return
    tunnel.isDraining = true
    if (tunnel.visitors === 0) leave()
  })
  return leave

  function known(): void {
    clearTimeout(helloTimer)
    parts.known()
  }

  function refuse(message: Refusal): void {
    known()
    if (tunnel !== null) tunnel.isDraining = true
    control.refuse(message)
    setTimeout(leave, LAST_WORDS_MS).unref()
  }

  function broken(): void {
    if (tunnel === null) refused('protocol')
    refuse({ type: 'error', code: 'protocol' })
  }

  function hear(message: ControlMessage): void {
    if (tunnel === null) {
      if (message.type !== 'hello') throw new ProtocolError('the first message is not hello')
      begin(message)
      return
    }
    switch (message.type) {
      case 'claim':
      case 'release':
      case 'txt-set':
      case 'txt-remove':
        answering.take(message)
        break
      case 'route':
        if (!parts.vouch(tunnel, message)) throw new ProtocolError('a route is not signed by its node')
        break
      case 'drain':
        tunnel.isDraining = true
        break
      default: // nothing that a node says to a relay
        throw new ProtocolError(`a node does not say ${message.type}`)
    }
  }

  function begin(hello: Control<'hello'>): void {
    known()
    if (session.closed) {
      leave() // it has said goodbye already
      return
    }
    const refusal = unservable(hello)
    if (refusal !== null) {
      refused(refusal.code)
      refuse(refusal)
      return
    }
    const opened: Tunnel = {
      nodeId,
      tunnelId,
      instanceId: hello.instanceId,
      address,
      session,
      sinceMs: now(),
      rttMs: null,
      visitors: 0,
      isDraining: false,
      say: control.say,
      carry: () => carry(opened),
      leave,
    }
    const answer = welcome(opened, hello)
    if (answer.type === 'error') {
      refuse(answer)
      return
    }
    tunnel = opened
    opened.say(answer)
  }

  /** One that was told to go away ends with its last visitor. */
  function carry(carrying: Tunnel): () => void {
    let isOver = false
    carrying.visitors += 1
    return () => {
      if (isOver) return
      isOver = true
      carrying.visitors -= 1
      if (carrying.visitors === 0 && session.closed) leave()
    }
  }
}
