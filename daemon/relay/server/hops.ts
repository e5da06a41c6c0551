import { type ClientHttp2Session, connect, performServerHandshake, type ServerHttp2Stream } from 'node:http2'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { parseHostPort } from '../../../schemas/words/address.ts'
import type { Log } from '../../../schemas/words/log.ts'
import {
  HOP_ALPN,
  PING_EVERY_MS,
  TUNNEL_SESSION_MEMORY,
  TUNNEL_SETTINGS,
  TUNNEL_WINDOW_BYTES,
  VISITOR,
} from '../protocol.ts'
import type { Visit } from './opening.ts'
import { requesterOf } from './own-door.ts'
import type { KeyAndCertificate, Peer, Presence, Requester } from './parts.ts'

type HopsParts = {
  readonly ownKey: KeyAndCertificate
  readonly domain: () => string
  readonly presence: Presence
  /** A visitor that another relay has sent. Answers the stream. */
  readonly arrive: (stream: ServerHttp2Stream, visit: Visit) => void
  readonly log: Log
}

const DIAL_MS = 5_000
/** A relay that could not be reached is left alone for so long. */
const REST_MS = 1_000
const MISSES = 2

/** What a relay presents itself as to another: a server name that no node can have. */
export const hopName = (domain: string): string => `_hop.${domain}`

/** Connections between the relays of one domain, in both directions; made when the first visitor needs one. */
export function createHops({ ownKey, domain, presence, arrive, log }: HopsParts) {
  const sessions = new Map<string, Promise<ClientHttp2Session | null>>()
  const accepted = new Set<TLSSocket>()

  /** The connection to another relay. @returns null: it cannot be reached, or is not what it should be */
  function to(relayId: string): Promise<ClientHttp2Session | null> {
    const known = sessions.get(relayId)
    if (known !== undefined) return known
    const peer = presence.peers().find(({ id }) => id === relayId)
    if (peer === undefined) return Promise.resolve(null)
    const dialled = dial(peer).catch((error: unknown) => {
      log('warn', 'a relay cannot be dialled', { subject: relayId, url: peer.address, error: String(error) })
      return null // its address is not one
    })
    sessions.set(relayId, dialled)
    void dialled.then((session) => {
      if (session === null) setTimeout(() => sessions.delete(relayId), REST_MS).unref()
      else session.once('close', () => sessions.delete(relayId))
    })
    return dialled
  }

  function dial({ id, address }: Peer): Promise<ClientHttp2Session | null> {
    return new Promise((resolve) => {
      const { host, port = 443 } = parseHostPort(address)
      const socket = connectTls({
        host,
        port,
        servername: hopName(domain()),
        ...ownKey,
        ALPNProtocols: [HOP_ALPN],
        minVersion: 'TLSv1.3',
        rejectUnauthorized: false, // its key is compared below, which says more
      })
      const timer = setTimeout(() => socket.destroy(), DIAL_MS)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => {
        clearTimeout(timer)
        resolve(null)
      })
      socket.once('secureConnect', () => {
        clearTimeout(timer)
        if (socket.alpnProtocol !== HOP_ALPN || requesterOf(socket)?.nodeId !== id) {
          log('warn', 'a relay is not what the registry says: it has another key', { subject: id, url: address })
          socket.destroy()
          return
        }
        const session = connect(`https://${id}`, {
          createConnection: () => socket,
          settings: TUNNEL_SETTINGS,
          maxSessionMemory: TUNNEL_SESSION_MEMORY,
          maxReservedRemoteStreams: 0,
        })
        session.on('error', () => {})
        session.once('connect', () => session.setLocalWindowSize(TUNNEL_WINDOW_BYTES))
        keepAlive(session)
        resolve(session)
      })
    })
  }

  /** Takes a connection of another relay, if it is one. */
  function take(socket: TLSSocket, { nodeId: relayId }: Requester): void {
    if (socket.alpnProtocol !== HOP_ALPN || !presence.peers().some(({ id }) => id === relayId)) {
      log('warn', 'a relay that is not in the registry was refused', { subject: relayId })
      socket.destroy()
      return
    }
    accepted.add(socket)
    socket.once('close', () => accepted.delete(socket))
    const session = performServerHandshake(socket, {
      settings: TUNNEL_SETTINGS,
      maxSessionMemory: TUNNEL_SESSION_MEMORY,
    })
    session.on('error', () => {})
    session.once('connect', () => session.setLocalWindowSize(TUNNEL_WINDOW_BYTES))
    session.on('stream', (stream, headers) => {
      stream.on('error', () => {})
      const visit = visitOf(headers)
      if (visit === null) answer(stream, 400)
      else arrive(stream, visit)
    })
  }

  return {
    to,
    take,
    close() {
      for (const dialled of sessions.values()) void dialled.then((session) => session?.destroy())
      for (const socket of accepted) socket.destroy()
    },
  }
}

/** Refuses a visitor's stream. */
export function answer(stream: ServerHttp2Stream, status: number): void {
  if (!stream.destroyed && !stream.headersSent) stream.respond({ ':status': status }, { endStream: true })
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

function keepAlive(session: ClientHttp2Session): void {
  let missed = 0
  const pinging = setInterval(() => {
    if (session.destroyed) return
    missed += 1
    if (missed > MISSES) session.destroy()
    else
      session.ping((error) => {
        if (error === null) missed = 0
      })
  }, PING_EVERY_MS).unref()
  session.once('close', () => clearInterval(pinging))
}
