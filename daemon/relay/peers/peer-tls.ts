import { AsyncLocalStorage } from 'node:async_hooks'
import { constants } from 'node:crypto'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { Log } from '../../../schemas/words/log.ts'
import type { Connection } from '../../listener/connection.ts'
import { destroySoon } from '../../listener/last-words.ts'
import type { Via } from '../../listener/via.ts'
import type { NodeIdentity } from '../client/identity.ts'
import type { Channel } from './channel.ts'
import { FRAME, frameOf } from './frames.ts'
import { createPeerChannels } from './peer-channels.ts'
import { nodeOf, PEER_ALPN } from './protocol.ts'

type PeerTlsParts = {
  readonly identity: NodeIdentity
  /** Whether a node may connect, now. */
  readonly isPinned: (nodeId: string) => boolean
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Log
}

/** @param isNew it was not told before; else how it comes has changed */
type Next = (channel: Channel, via: Via, isNew: boolean) => void

const HANDSHAKE_MS = 10_000
const WARN_EVERY_MS = 60_000

export type PeerTls = ReturnType<typeof createPeerTls>

/** The side of other gateways: lets in those whose keys are known here. */
export function createPeerTls({ identity, isPinned, now, log }: PeerTlsParts) {
  const { key, cert, nodeId } = identity
  const handshakes = new AsyncLocalStorage<{ readonly via: Via; readonly next: Next }>()
  /** Connections of nodes that were let in. */
  const open = new Map<TLSSocket, string>()
  const channels = createPeerChannels()
  let refused = 0
  let warnedAtMs = Number.NEGATIVE_INFINITY

  /** Anyone may come, as often as they like: not each gets a line in the log. */
  function noteRefused(subject: string): void {
    refused += 1
    if (now() - warnedAtMs < WARN_EVERY_MS) return
    log('warn', 'a gateway whose key is not known here was refused', { subject, count: refused })
    warnedAtMs = now()
    refused = 0
  }

  const server: Server = createServer({
    key,
    cert,
    minVersion: 'TLSv1.3',
    ALPNProtocols: [PEER_ALPN],
    requestCert: true,
    rejectUnauthorized: false, // no one vouches for these keys: they are known
    secureOptions: constants.SSL_OP_NO_TICKET, // a session that goes on shows no certificate
    handshakeTimeout: HANDSHAKE_MS,
  })
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy())
    const peer = nodeOf(socket)
    const handshake = handshakes.getStore()
    if (handshake === undefined || peer === undefined || !isPinned(peer)) {
      noteRefused(peer ?? '')
      socket.end(frameOf(FRAME.gone))
      destroySoon(socket)
      return
    }
    open.set(socket, peer)
    socket.once('close', () => open.delete(socket))
    const { via, next } = handshake
    const secured = { isFor: (host: string) => host === nodeId }
    channels.take(socket, peer, (channel, isNew) => next(channel, { ...via, peerNode: peer, secured }, isNew))
  })
  server.on('tlsClientError', (_, socket) => socket.destroy())
  return {
    /** Ends what comes from nodes that may not connect any more. */
    endUnpinned(): void {
      channels.endOf((node) => !isPinned(node))
      for (const [socket, node] of open) if (!isPinned(node)) socket.destroy()
    },
    /** Shakes hands over a connection; `next` gets the channel that it carries when its gateway is let in. */
    take: (socket: Connection, via: Via, next: Next): void => {
      socket.on('error', () => socket.destroy())
      handshakes.run({ via, next }, () => server.emit('connection', socket))
    },
  }
}
