import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { parseHostPort } from '../../../schemas/words/address.ts'
import type { Log } from '../../../schemas/words/log.ts'
import { HOP_ALPN, TUNNEL_SESSION_MEMORY, TUNNEL_SETTINGS } from '../protocol.ts'
import { requesterOf } from './own-door.ts'
import type { KeyAndCertificate, Peer } from './parts.ts'

type HopDial = {
  readonly ownKey: KeyAndCertificate
  readonly domain: string
  /** Looks after a session from its first moment. */
  readonly keep: (hop: { readonly session: ClientHttp2Session; readonly socket: TLSSocket }) => void
  readonly log: Log
}

const DIAL_MS = 5_000

/** What a relay presents itself as to another: a server name that no node can have. */
export const hopName = (domain: string): string => `_hop.${domain}`

/** Dials another relay of the domain. @returns null: it cannot be reached, or is not what it should be */
export function dialHop({ id, address }: Peer, parts: HopDial): Promise<ClientHttp2Session | null> {
  const { ownKey, domain, keep, log } = parts
  return new Promise((resolve) => {
    const { host, port = 443 } = parseHostPort(address)
    const socket = connectTls({
      host,
      port,
      servername: hopName(domain),
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
      keep({ session, socket })
      resolve(session)
    })
  })
}
