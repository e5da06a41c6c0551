import { type ClientHttp2Session, performServerHandshake, type ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { parseHostPort } from '../../../schemas/words/address.ts'
import type { Log } from '../../../schemas/words/log.ts'
import { HOP_ALPN, TUNNEL_RESETS, TUNNEL_SESSION_MEMORY, TUNNEL_SETTINGS, VISITOR } from '../protocol.ts'
import { dialHop } from './hop-dial.ts'
import type { Visit } from './opening.ts'
import type { KeyAndCertificate, Peer, Presence, Requester } from './parts.ts'
import { keepSession } from './session.ts'

type HopsParts = {
  readonly ownKey: KeyAndCertificate
  readonly domain: () => string
  readonly presence: Presence
  /** A visitor that another relay has sent. Answers the stream. */
  readonly arrive: (stream: ServerHttp2Stream, visit: Visit) => void
  readonly pingEveryMs: number
  readonly log: Log
}

type Kept = Pick<Parameters<typeof keepSession>[0], 'session' | 'socket'>

/** A relay that could not be reached is left alone for so long. */
const REST_MS = 1_000

/** Connections between the relays of one domain, in both directions; made when the first visitor needs one. */
export function createHops({ ownKey, domain, presence, arrive, pingEveryMs, log }: HopsParts) {
  const dialled = new Map<string, Promise<ClientHttp2Session | null>>()
  /** Ends each connection that there is. */
  const leaving = new Set<() => void>()

  /** The connection to another relay. @returns null: it cannot be reached, or is not what it should be */
  function to(relayId: string): Promise<ClientHttp2Session | null> {
    const known = dialled.get(relayId)
    if (known !== undefined) return known
    const peer = presence.peers().find(({ id }) => id === relayId)
    if (peer === undefined) return Promise.resolve(null)
    const session = reach(peer)
    dialled.set(relayId, session)
    return session
  }

  async function reach(peer: Peer): Promise<ClientHttp2Session | null> {
    const forget = () => dialled.delete(peer.id)
    const parts = { ownKey, domain: domain(), keep: (hop: Kept) => keep(hop, forget), log }
    const session = await dialHop(peer, parts).catch((error: unknown) => {
      log('warn', 'a relay cannot be dialled', { subject: peer.id, url: peer.address, error: String(error) })
      return null // its address is not one
    })
    if (session === null) setTimeout(forget, REST_MS).unref()
    return session
  }

  function keep(hop: Kept, gone = () => {}): void {
    const leave = keepSession({
      ...hop,
      pingEveryMs,
      left() {
        leaving.delete(leave)
        gone()
      },
    })
    leaving.add(leave)
  }

  /** Takes a connection of another relay, if it is one. */
  function take(socket: TLSSocket, { nodeId: relayId }: Requester): void {
    const isKnown = () => presence.peers().some(({ id }) => id === relayId)
    if (socket.alpnProtocol !== HOP_ALPN || !isKnown()) {
      log('warn', 'a relay that is not in the registry was refused', { subject: relayId })
      socket.destroy()
      return
    }
    const session = performServerHandshake(socket, {
      settings: TUNNEL_SETTINGS,
      maxSessionMemory: TUNNEL_SESSION_MEMORY,
      ...TUNNEL_RESETS,
    })
    keep({ session, socket })
    session.on('stream', (stream, headers) => {
      stream.on('error', () => {})
      const visit = visitOf(headers)
      if (visit === null) answer(stream, 400)
      else if (isKnown()) arrive(stream, visit)
      else answer(stream, 403)
    })
  }

  return {
    to,
    take,
    close() {
      for (const leave of leaving) leave()
    },
  }
}

/** Answers a visitor's stream, if it is still there. @returns whether it was */
export function answer(stream: ServerHttp2Stream, status: number): boolean {
  if (stream.destroyed || stream.closed || stream.headersSent) return false
  stream.respond({ ':status': status }, { endStream: status !== 200 })
  return true
}

type Headers = Readonly<Record<string, string | string[] | number | undefined>>

/** @returns null: it is not a visitor's stream, or went through more than one relay */
function visitOf(headers: Headers): Visit | null {
  const text = (name: string) => (typeof headers[name] === 'string' ? headers[name] : '')
  if (text(':method') !== 'CONNECT' || text(VISITOR.hops) !== '1') return null
  return {
    host: parseHostPort(text(':authority')).host,
    source: text(VISITOR.source),
    target: text(VISITOR.target),
    relay: text(VISITOR.relay),
    connection: text(VISITOR.connection),
    hops: 1,
  }
}
