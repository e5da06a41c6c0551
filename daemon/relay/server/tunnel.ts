import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import {
  CONTROL_PATH,
  type Control,
  type ControlMessage,
  messageReader,
  PROTO,
  ProtocolError,
  TUNNEL_SESSION_MEMORY,
  TUNNEL_SETTINGS,
  TUNNEL_WINDOW_BYTES,
  unknownFeature,
  writeMessage,
} from '../protocol.ts'
import type { NodeRequest, NodeRequests, Requester } from './parts.ts'

type Said = Parameters<typeof writeMessage>[0]

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
  say: (message: Said) => void
}

type TunnelParts = {
  readonly socket: TLSSocket
  readonly requester: Requester
  readonly tunnelId: string
  readonly address: string
  readonly requests: NodeRequests
  /** Decides about a node that has said hello. @returns its welcome, or why it is refused */
  readonly welcome: (tunnel: Tunnel, hello: Control<'hello'>) => Said & { readonly type: 'welcome' | 'error' }
  /** Called once for each tunnel that was welcomed. @param isLost it did not answer */
  readonly closed: (tunnel: Tunnel, isLost: boolean) => void
  readonly pingEveryMs: number
  /** What the node may send ahead for each visitor. */
  readonly windowBytes: number
  readonly now: () => number
}

/** S22: to the end of the first message. */
const HELLO_MS = 5_000
const MISSES = 2
/** Requests of one node that wait for an answer. */
const MOST_REQUESTS = 8
const REQUEST_MS = 30_000
/** Messages that a node does not read. */
const MOST_UNREAD_BYTES = 2 ** 18
const LAST_WORDS_MS = 1_000

/** Runs the relay's side of a tunnel over a connection whose handshake is done. */
export function openTunnel(parts: TunnelParts): void {
  const { socket, requester, tunnelId, address, requests, welcome, closed, pingEveryMs, windowBytes, now } = parts
  const session = connect(`https://${requester.nodeId}`, {
    createConnection: () => socket,
    settings: { ...TUNNEL_SETTINGS, initialWindowSize: windowBytes },
    maxSessionMemory: TUNNEL_SESSION_MEMORY,
    maxReservedRemoteStreams: 0,
  })
  const ending = new AbortController()
  let tunnel: Tunnel | null = null
  let isLost = false
  let waiting = 0

  const leave = () => session.destroy()
  const helloTimer = setTimeout(leave, HELLO_MS)
  session.on('error', () => {}) // 'close' follows
  session.once('connect', () => session.setLocalWindowSize(TUNNEL_WINDOW_BYTES))
  const control = session.request(
    { ':method': 'POST', ':path': CONTROL_PATH, ':authority': requester.nodeId },
    { endStream: false },
  )
  control.on('error', () => {})
  control.once('close', leave)
  const read = messageReader()
  control.on('data', (chunk: Buffer) => {
    try {
      for (const message of read(chunk)) hear(message)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      refuse(control, session, { type: 'error', code: 'protocol' })
    }
  })
  session.once('goaway', () => {
    if (tunnel !== null) tunnel.isDraining = true
  })
  session.once('close', () => {
    clearTimeout(helloTimer)
    clearInterval(pinging)
    ending.abort()
    if (tunnel !== null) closed(tunnel, isLost)
  })

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
        void ask(message)
        break
      case 'drain':
        tunnel.isDraining = true
        break
      default: // nothing that a node says to a relay
        throw new ProtocolError(`a node does not say ${message.type}`)
    }
  }

  function begin(hello: Control<'hello'>): void {
    clearTimeout(helloTimer)
    const unknown = unknownFeature(hello.critical)
    if (!hello.proto.includes(PROTO) || unknown !== undefined) {
      const code = unknown === undefined ? 'proto' : 'feature'
      refuse(control, session, { type: 'error', code, min: PROTO, max: PROTO })
      return
    }
    const { instanceId } = hello
    const opened: Tunnel = {
      nodeId: requester.nodeId,
      tunnelId,
      instanceId,
      address,
      session,
      sinceMs: now(),
      rttMs: null,
      visitors: 0,
      isDraining: false,
      say: (message) => {
        if (control.writableLength > MOST_UNREAD_BYTES) session.destroy()
        else if (!control.closed && !control.destroyed) control.write(writeMessage(message))
      },
    }
    const answer = welcome(opened, hello)
    if (answer.type === 'error') {
      refuse(control, session, answer)
      return
    }
    tunnel = opened
    opened.say(answer)
  }

  async function ask(request: NodeRequest): Promise<void> {
    const answer = (result: string, detail?: string) =>
      tunnel?.say({ type: 'answer', id: request.id, result, ...(detail === undefined ? {} : { detail }) })
    if (waiting >= MOST_REQUESTS) {
      answer('busy')
      return
    }
    waiting += 1
    try {
      const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(REQUEST_MS)])
      const { result, detail } = await requests(requester, request, signal)
      answer(result, detail)
    } finally {
      waiting -= 1
    }
  }

  let missed = 0
  const pinging = setInterval(() => {
    if (session.destroyed) return // it may not be closed for as long as the other side likes
    if (missed >= MISSES) {
      isLost = true
      session.destroy()
      return
    }
    missed += 1
    session.ping((error, rttMs) => {
      if (error !== null) return
      missed = 0
      if (tunnel !== null) tunnel.rttMs = rttMs
    })
  }, pingEveryMs).unref()
}

function refuse(
  control: ClientHttp2Stream,
  session: ClientHttp2Session,
  message: Said & { readonly type: 'error' },
): void {
  control.end(writeMessage(message))
  setTimeout(() => session.destroy(), LAST_WORDS_MS).unref()
}
