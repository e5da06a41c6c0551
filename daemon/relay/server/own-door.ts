import { AsyncLocalStorage } from 'node:async_hooks'
import { constants, createPrivateKey, X509Certificate } from 'node:crypto'
import type { Server as HttpServer } from 'node:http'
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { ALPN, EXPORTER, HOP_ALPN, nodeIdOf } from '../protocol.ts'
import { ALERT, sayAlert } from './last-words.ts'
import type { KeyAndCertificate, Requester } from './parts.ts'

/** What ends at the relay itself, once its handshake is done. */
type OwnDoorParts = {
  readonly identity: () => KeyAndCertificate | null
  readonly ownKey: KeyAndCertificate
  readonly challenge: () => KeyAndCertificate | null
  readonly takeNode: (socket: TLSSocket, requester: Requester, address: string) => void
  readonly takeHop: (socket: TLSSocket, requester: Requester) => void
  readonly page: HttpServer
  /** A tunnel was asked for without a key that one may have. */
  readonly refusedKey: () => void
}

/** S22: a handshake with one that has shown nothing yet. */
const HANDSHAKE_MS = 5_000
/** How long a connection to the page may last. */
const PAGE_MS = 30_000
/**
 * Keys are shown in every handshake and none is resumed: a ticket would let a node in without its key. Certificates of
 * nodes are signed by nothing that counts, so their key is all that is looked at.
 */
const OPTIONS = {
  minVersion: 'TLSv1.3',
  // what is in a tunnel is encrypted already: the cheaper one first
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384',
  honorCipherOrder: true,
  requestCert: true,
  rejectUnauthorized: false,
  handshakeTimeout: HANDSHAKE_MS,
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const

/** TLS that ends at the relay: tunnels of nodes and its own page at relay.<domain>, other relays at _hop.<domain>. */
export function createOwnDoor(parts: OwnDoorParts) {
  const { identity, ownKey, challenge, takeNode, takeHop, page, refusedKey } = parts
  // a server of TLS does not say which connection the one that it has secured was
  const addresses = new AsyncLocalStorage<string>()
  const hops = serverOf(ownKey, [HOP_ALPN], (socket) => {
    const requester = requesterOf(socket)
    if (requester === null) socket.destroy()
    else takeHop(socket, requester)
  })
  let current: { readonly of: KeyAndCertificate; readonly server: Server } | null = null

  function secured(socket: TLSSocket): void {
    if (socket.alpnProtocol !== ALPN) {
      // a server of HTTP that does not listen itself looks after no timeouts
      const timer = setTimeout(() => socket.destroy(), PAGE_MS)
      socket.once('close', () => clearTimeout(timer))
      page.emit('connection', socket)
      return
    }
    const requester = requesterOf(socket)
    if (requester !== null) takeNode(socket, requester, addresses.getStore() ?? '')
    else {
      refusedKey()
      socket.destroy()
    }
  }

  return {
    /** @param address of the node, with port */
    takeOwn(socket: Socket, address: string): void {
      const identityNow = identity()
      if (identityNow === null) {
        sayAlert(socket, ALERT.internalError)
        return
      }
      if (current?.of.cert !== identityNow.cert)
        current = { of: identityNow, server: serverOf(identityNow, [ALPN, 'http/1.1'], secured) }
      const { server } = current
      addresses.run(address, () => server.emit('connection', socket))
    },
    /** A validation of ACME for relay.<domain>: RFC 8737 section 3. */
    takeChallenge(socket: Socket): void {
      const identityNow = challenge()
      if (identityNow === null) sayAlert(socket, ALERT.accessDenied)
      else serverOf(identityNow, ['acme-tls/1'], (secure) => secure.end()).emit('connection', socket)
    },
    takeHop(socket: Socket): void {
      hops.emit('connection', socket)
    },
  }
}

function serverOf({ key, cert }: KeyAndCertificate, protocols: string[], secured: (socket: TLSSocket) => void): Server {
  const server = createServer({ ...OPTIONS, key, cert, ALPNProtocols: protocols })
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy())
    socket.allowHalfOpen = false
    secured(socket)
  })
  server.on('tlsClientError', (_, socket) => socket.destroy())
  return server
}

/** The key that the other side has proved to have. @returns null: none, or not an Ed25519 one */
export function requesterOf(socket: TLSSocket): Requester | null {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined || socket.isSessionReused()) return null
  const { publicKey } = certificate
  if (publicKey.asymmetricKeyType !== 'ed25519') return null
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const exporter = socket.exportKeyingMaterial(EXPORTER.bytes, EXPORTER.label, Buffer.alloc(0))
  return { nodeId: nodeIdOf(spki), spki, exporter }
}

/** What other relays know this one by. @throws Error: not an Ed25519 key */
export function idOfOwnKey({ key, cert }: KeyAndCertificate): string {
  if (createPrivateKey(key).asymmetricKeyType !== 'ed25519') throw new Error('the key of a relay has to be Ed25519')
  return nodeIdOf(new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' }))
}
