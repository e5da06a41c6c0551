import 'reflect-metadata'
import { createPublicKey, sign, webcrypto } from 'node:crypto'
import { once } from 'node:events'
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'
import { connect } from 'node:tls'
import { X509Certificate, X509CertificateGenerator } from '@peculiar/x509'
import {
  ALPN,
  CONTROL_PATH,
  type Control,
  type ControlMessage,
  EXPORTER,
  messageReader,
  nodeIdOf,
  TUNNEL_SESSION_MEMORY,
  TUNNEL_SETTINGS,
  TUNNEL_WINDOW_BYTES,
  writeMessage,
} from '../../daemon/relay/protocol.ts'
import { ROUTE_MS, routeBytes } from '../../daemon/relay/route-proof.ts'
import type { KeyAndCertificate, RelayLimits, RelayParts } from '../../daemon/relay/server/parts.ts'
import { createRelay, type Relay } from '../../daemon/relay/server/relay.ts'
import { until } from './daemon.ts'
import { makeIdentity } from './identities.ts'

export const DOMAIN = 'relay.test'

/** Wide enough that a test meets only the limit that it is about. */
export const WIDE_LIMITS: RelayLimits = {
  visitors: 20_000,
  unparsed: 1_024,
  openPerAddress: 20_000,
  burstPerAddress: 1e9,
  newPerAddressPerSecond: 1e9,
  tunnels: 4_096,
  tunnelsPerNode: 4,
  tunnelsPerAddress: 4_096,
  registrationsPerMinute: 1e6,
  streamsPerNode: 20_000,
  bytesPerSecondPerNode: 0,
  dailyBytesPerNode: 0,
  challengesPerHour: 1e6,
  bufferedBytes: 2 ** 28,
  windowBytes: 2 ** 20,
  idleMs: 300_000,
  drainMs: 30_000,
}

/** A key on Ed25519 with a certificate that signs itself, and its id. */
export async function ed25519Identity(): Promise<KeyAndCertificate & { readonly id: string }> {
  const keys = (await webcrypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const certificate = await X509CertificateGenerator.createSelfSigned(
    { keys, name: 'CN=node', signingAlgorithm: { name: 'Ed25519' } },
    webcrypto as never,
  )
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey))
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    cert: new X509Certificate(certificate.rawData).toString('pem'),
    id: nodeIdOf(spki),
  }
}

export type TestRelay = {
  readonly relay: Relay
  readonly port: number
  readonly nodesPort: number
  /** Connections that are open. */
  readonly open: () => number
  readonly logged: string[]
  /** More than one relay may look at them. */
  readonly names: Map<string, string>
  readonly stop: () => Promise<void>
}

/** A relay of this process, on loopback. */
export async function startRelay(
  options: Partial<RelayParts> & {
    readonly limited?: Partial<RelayLimits>
    readonly proxies?: readonly string[]
    readonly allowFrom?: readonly string[]
    readonly port?: number
  } = {},
): Promise<TestRelay> {
  const { limited, proxies = [], allowFrom = [], port = 0, ...parts } = options
  const names = new Map<string, string>()
  const logged: string[] = []
  const own = makeIdentity([`relay.${DOMAIN}`])
  const limits = { ...WIDE_LIMITS, ...limited }
  const settings = { domain: DOMAIN, trustedProxies: proxies, allowFrom }
  const relay = createRelay({
    names: {
      ownerOf: (host) => names.get(host) ?? null,
      namesOf: (id) => [...names].filter(([, owner]) => owner === id).map(([host]) => host),
    },
    presence: { announce: () => {}, withdraw: () => {}, routesOf: () => [], peers: () => [] },
    requests: async () => ({ result: 'unavailable' }),
    settings: () => settings,
    limits: () => limits,
    identity: () => own,
    ownKey: parts.ownKey ?? (await ed25519Identity()),
    now: () => performance.now(),
    random: (bytes) => Buffer.from(webcrypto.getRandomValues(new Uint8Array(bytes))),
    log: (level, message, fields) => void logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`),
    ...parts,
  })
  const sockets = new Set<Socket>()
  const listen = async (take: (socket: Socket) => void, at: number): Promise<Server> => {
    const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: 2 ** 18 }, (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      take(socket)
    })
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
    return server
  }
  const servers = [await listen(relay.takeVisitor, port), await listen(relay.takeTunnel, 0)] as const
  return {
    relay,
    port: portOf(servers[0]),
    nodesPort: portOf(servers[1]),
    open: () => sockets.size,
    logged,
    names,
    async stop() {
      relay.close()
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

export const portOf = (server: Server): number => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}

export type TestNode = {
  readonly id: string
  /** Its name that is made of its key. */
  readonly host: string
  readonly session: ServerHttp2Session
  readonly heard: readonly ControlMessage[]
  readonly say: (message: Parameters<typeof writeMessage>[0]) => void
  /** Says what may be no message. */
  readonly sayBytes: (bytes: Buffer) => void
  /** Waits for a message of a kind. */
  readonly hear: <T extends ControlMessage['type']>(type: T) => Promise<Extract<ControlMessage, { readonly type: T }>>
  readonly closed: Promise<void>
  /** What its tunnel and no other has. */
  readonly exporter: Buffer
  /** DER of its public key. */
  readonly spki: Buffer
  /** By its key, base64url. */
  readonly sign: (bytes: Buffer) => string
  /** Says what wants an answer, and waits for that. */
  readonly ask: (message: Asked) => Promise<Control<'answer'>>
  /** Says goodbye and resets the control stream, and keeps the connection. */
  readonly hangUp: () => void
  readonly stop: () => void
}

/** A message that is answered, without its id. */
type Asked = { [T in 'claim' | 'release' | 'txt-set' | 'txt-remove']: Omit<Control<T>, 'id'> }[
  | 'claim'
  | 'release'
  | 'txt-set'
  | 'txt-remove']

/** What a node does with a visitor. */
export type TakeVisitor = (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>) => void

type NodeOptions = {
  readonly port: number
  readonly identity?: KeyAndCertificate & { readonly id: string }
  readonly take?: TakeVisitor
  readonly hello?: Partial<Extract<Parameters<typeof writeMessage>[0], { readonly type: 'hello' }>>
  readonly host?: string
  /** Address that it comes from. */
  readonly from?: string
}

/** A node: dials the relay, says hello, and waits for the welcome unless `hello` is odd on purpose. */
export async function startNode(options: NodeOptions): Promise<TestNode> {
  const { port, take = () => {}, hello = {}, host = '127.0.0.1', from } = options
  const { key, cert, id } = options.identity ?? (await ed25519Identity())
  const socket = connect({
    host,
    port,
    ...(from !== undefined && { localAddress: from }),
    key,
    cert,
    servername: `relay.${DOMAIN}`,
    ALPNProtocols: [ALPN],
    minVersion: 'TLSv1.3',
    rejectUnauthorized: false,
  })
  socket.setNoDelay(true)
  await once(socket, 'secureConnect')
  const session = performServerHandshake(socket, {
    settings: TUNNEL_SETTINGS,
    maxSessionMemory: TUNNEL_SESSION_MEMORY,
  })
  session.on('error', () => {})
  session.once('connect', () => session.setLocalWindowSize(TUNNEL_WINDOW_BYTES))
  session.setLocalWindowSize(TUNNEL_WINDOW_BYTES)
  const heard: ControlMessage[] = []
  const waiting = new Set<() => void>()
  let control: ServerHttp2Stream | undefined
  const closed = new Promise<void>((resolve) => session.once('close', resolve))
  session.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    if (headers[':path'] !== CONTROL_PATH) {
      take(stream, headers)
      return
    }
    control = stream
    stream.respond({ ':status': 200 })
    stream.write(writeMessage({ type: 'hello', proto: [1], instanceId: 'one', ...hello }))
    const read = messageReader()
    stream.on('data', (chunk: Buffer) => {
      heard.push(...read(chunk))
      for (const wake of waiting) wake()
    })
  })
  const hear: TestNode['hear'] = (type) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = heard.find((message) => message.type === type)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found as never)
      }
      waiting.add(look)
      look()
      void closed.then(() => reject(new Error(`the relay has closed before a ${type}`)))
    })
  const say: TestNode['say'] = (message) => void control?.write(writeMessage(message))
  const signed = (bytes: Buffer) => sign(null, bytes, key).toString('base64url')
  const first = await Promise.race([hear('welcome'), hear('error')])
  if (first.type === 'welcome') {
    const expiresAtMs = Date.now() + ROUTE_MS
    say({ type: 'route', expiresAtMs, signature: signed(routeBytes({ ...first, nodeId: id }, expiresAtMs)) })
  }
  let asked = 0
  return {
    id,
    host: `${id}.${DOMAIN}`,
    session,
    heard,
    say,
    sayBytes: (bytes) => void control?.write(bytes),
    hear,
    closed,
    exporter: socket.exportKeyingMaterial(EXPORTER.bytes, EXPORTER.label, Buffer.alloc(0)),
    spki: createPublicKey(key).export({ type: 'spki', format: 'der' }),
    sign: signed,
    async ask(message) {
      const id = ++asked
      say({ ...message, id })
      const isAnswer = (one: ControlMessage) => one.type === 'answer' && one.id === id
      await until(() => heard.some(isAnswer) || session.destroyed)
      const answer = heard.find(isAnswer)
      if (answer?.type !== 'answer') throw new Error('the relay has closed before its answer')
      return answer
    },
    hangUp() {
      session.goaway()
      control?.close(constants.NGHTTP2_CANCEL)
    },
    stop: () => session.destroy(),
  }
}
