import type { TLSSocket } from 'node:tls'
import { isNodeId, nodeIdOf } from '../protocol.ts'

/**
 * Between two gateways: TLS 1.3, both sides with the self-signed certificate of their Ed25519 keys, of which nothing but
 * the key counts; above it a channel (`channel.ts`), and in that HTTP/1.1, as any client speaks it. Directly to `server.p2p_port`, or to a relay by a name of
 * the other gateway, which passes the bytes on.
 */
export const PEER_ALPN = 'gate-peer/1'

/** Ids of the gateways that a request went through, in order, separated by commas. */
export const HOPS_HEADER = 'gate-hops'

const MOST_HOPS = 4

/** The node at the other end of a connection; undefined: it has shown no key. */
export function nodeOf(socket: TLSSocket): string | undefined {
  const key = socket.getPeerX509Certificate()?.publicKey
  return key?.asymmetricKeyType === 'ed25519' ? nodeIdOf(key.export({ type: 'spki', format: 'der' })) : undefined
}

/**
 * What a request says of where it was before.
 * @returns undefined: it went in a circle, or through too many, or says what cannot be
 */
export function hopsIn(header: string, ownId: string): readonly string[] | undefined {
  const hops = header.split(',', MOST_HOPS + 1).map((hop) => hop.trim())
  return hops.length > MOST_HOPS || !hops.every(isNodeId) || hops.includes(ownId) ? undefined : hops
}
