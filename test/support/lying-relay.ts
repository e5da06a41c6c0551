import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import { createServer, type TLSSocket } from 'node:tls'
import { pinOf } from '../../daemon/relay/client/trust.ts'
import {
  ALPN,
  CONTROL_PATH,
  type Control,
  type ControlMessage,
  messageReader,
  nodeIdOf,
  TUNNEL_SESSION_MEMORY,
  TUNNEL_SETTINGS,
  TUNNEL_WINDOW_BYTES,
  VISITOR,
  writeMessage,
} from '../../daemon/relay/protocol.ts'
import { makeIdentity } from './identities.ts'
import { DOMAIN, portOf } from './relay.ts'

/** A node, as the relay that it has dialled sees it. */
export type LiedTo = {
  readonly nodeId: string
  /** Its name that is made of its key. */
  readonly host: string
  readonly session: ClientHttp2Session
  readonly socket: TLSSocket
  readonly heard: readonly ControlMessage[]
  readonly say: (message: Parameters<typeof writeMessage>[0]) => void
  /** Brings a visitor. @param source address, without port */
  readonly visit: (name: string, source: string) => ClientHttp2Stream
  readonly closed: Promise<unknown>
}

export type LyingRelay = {
  readonly port: number
  readonly pin: string
  /** Nodes that have been here, in the order in which they came. */
  readonly nodes: readonly LiedTo[]
  /** Waits for one more. */
  readonly next: () => Promise<LiedTo>
  readonly stop: () => Promise<void>
}

type Lies = {
  /** What is said instead of the truth. */
  readonly welcome?: (nodeId: string) => Partial<Control<'welcome'>>
  /** Called for each node that has been welcomed. */
  readonly welcomed?: (node: LiedTo) => void
}

/** A relay of TLS and HTTP/2, as nodes meet them, that says what it likes. */
export async function startLyingRelay({ welcome = () => ({}), welcomed }: Lies = {}): Promise<LyingRelay> {
  const own = makeIdentity([`relay.${DOMAIN}`])
  const nodes: LiedTo[] = []
  let waiting = Promise.withResolvers<LiedTo>()
  const sockets = new Set<TLSSocket>()
  const server = createServer(
    { ...own, ALPNProtocols: [ALPN], requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' },
    (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => sockets.delete(socket))
      const node = take(socket, welcome, () => welcomed?.(node))
      nodes.push(node)
      waiting.resolve(node)
      waiting = Promise.withResolvers()
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: portOf(server),
    pin: pinOf(new X509Certificate(own.cert).publicKey.export({ type: 'spki', format: 'der' })),
    nodes,
    next: () => waiting.promise,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function take(socket: TLSSocket, welcome: NonNullable<Lies['welcome']>, done: () => void): LiedTo {
  const spki = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
  const nodeId = nodeIdOf(spki ?? Buffer.alloc(0))
  const session = connectHttp2('https://node', {
    createConnection: () => socket,
    settings: TUNNEL_SETTINGS,
    maxSessionMemory: TUNNEL_SESSION_MEMORY,
    peerMaxConcurrentStreams: TUNNEL_SETTINGS.maxConcurrentStreams,
  })
  session.on('error', () => {})
  session.once('connect', () => session.setLocalWindowSize(TUNNEL_WINDOW_BYTES))
  const control = session.request({ ':method': 'POST', ':path': CONTROL_PATH }, { endStream: false })
  const heard: ControlMessage[] = []
  const read = messageReader()
  const say: LiedTo['say'] = (message) => void (control.destroyed || control.write(writeMessage(message)))
  control.on('error', () => {})
  control.on('data', (chunk: Buffer) => {
    const news = read(chunk)
    heard.push(...news)
    if (!news.some(({ type }) => type === 'hello')) return
    const truth = {
      type: 'welcome' as const,
      proto: 1,
      features: [],
      critical: [],
      relayId: 'liar',
      tunnelId: 'one',
      limits: { streams: 1_000, bytesPerSecond: 0 },
      names: [`${nodeId}.${DOMAIN}`],
      peers: [],
    } satisfies Control<'welcome'>
    say({ ...truth, ...welcome(nodeId) })
    done()
  })
  return {
    nodeId,
    host: `${nodeId}.${DOMAIN}`,
    session,
    socket,
    heard,
    say,
    visit(name, source) {
      const host = source.includes(':') ? `[${source}]` : source
      const stream = session.request(
        {
          ':method': 'CONNECT',
          ':authority': `${name}:443`,
          [VISITOR.source]: `${host}:50000`,
          [VISITOR.target]: '192.0.2.1:443',
          [VISITOR.hops]: '0',
        },
        { endStream: false },
      )
      stream.on('error', () => {})
      return stream
    },
    closed: once(session, 'close'),
  }
}
