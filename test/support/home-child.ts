// A home that is no gateway: it dials relays, and serves TLS by itself, so that what a visitor does to its connection is seen.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { createServer, type TLSSocket } from 'node:tls'
import { resetStream } from '../../daemon/relay/reset-stream.ts'
import { serveCalls } from './child-calls.ts'
import { type ed25519Identity, portOf, startNode, type TakeVisitor, type TestNode } from './relay.ts'
import { claim } from './relay-program.ts'
import { answerWebSocket } from './web-socket-echo.ts'

type Identity = Awaited<ReturnType<typeof ed25519Identity>>
const CHUNK = Buffer.alloc(2 ** 16, '0123456789abcdef')
/** What it has seen of visitors, by the first line that they said. */
const seen = new Map<string, string>()
const raws = new Map<number, Socket>()

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of request) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  const [, wanted] = /^\/bytes\/(\d+)$/.exec(request.url ?? '') ?? []
  if (wanted === undefined) response.end(JSON.stringify({ bytes, sha256: hash.digest('hex') }))
  else Readable.from(chunksOf(Number(wanted)), { objectMode: false }).pipe(response)
}

function* chunksOf(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left)
}

/** Lines of TLS without HTTP: the first says what is tried. */
async function talk(socket: TLSSocket): Promise<void> {
  const raw = raws.get(socket.remotePort ?? 0)
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(socket, 'data')
  const [line = ''] = text.split('\n')
  const [verb] = line.split(' ')
  const note = () => seen.set(line, (socket.errored as NodeJS.ErrnoException | null)?.code ?? 'closed')
  socket.once('close', note)
  if (verb === 'end-first') {
    socket.end('home has ended')
    await once(socket, 'end')
    socket.off('close', note)
    seen.set(line, text.slice(line.length + 1))
  } else if (verb === 'wait-for-end') {
    await once(socket, 'end')
    socket.end(`after the end: ${text.length}`)
  } else if (verb === 'reset-me') {
    socket.write('x')
    raw?.resetAndDestroy()
  } else socket.write('x') // be-reset
}

const http = createHttpServer((request, response) => void answer(request, response).catch(() => response.destroy()))
http.on('upgrade', (request: IncomingMessage, socket: Socket) => answerWebSocket(request, socket))
const tls = createServer({ ALPNProtocols: ['lines', 'http/1.1'] }, (socket) => {
  if (socket.alpnProtocol === 'lines') void talk(socket).catch(() => {})
  else http.emit('connection', socket)
})
const tcp = createTcpServer({ allowHalfOpen: true }, (socket) => {
  raws.set(socket.remotePort ?? 0, socket)
  socket.on('error', () => {})
  tls.emit('connection', socket)
})

/** Ends and resets are carried both ways. */
const toSite: TakeVisitor = (stream) => {
  const socket = connect({ port: portOf(tcp), host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => resetStream(stream))
  stream.respond({ ':status': 200 })
  socket.pipe(stream)
  stream.pipe(socket, { end: false })
  stream.once('end', () => setImmediate(() => stream.aborted || socket.end()))
  stream.once('close', () => {
    if (stream.rstCode !== 0) socket.resetAndDestroy()
  })
}

const verbs = {
  /** @returns its port of the loopback */
  async listen(pem: { cert: string; key: string }) {
    tls.setSecureContext(pem)
    tcp.listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    return portOf(tcp)
  },
  /** @returns once the names are its own @param relays `host:port` */
  async start(identity: Identity, relays: string[], names: string[]) {
    const nodes: TestNode[] = []
    for (const relay of relays) {
      const [host = '', port] = relay.split(':')
      nodes.push(await startNode({ host, port: Number(port), identity, take: toSite }))
    }
    const [first] = nodes
    if (first === undefined) throw new Error('a home has a relay')
    for (const name of names) {
      const { result, detail } = await claim(first, name)
      if (result !== 'ok') throw new Error(`${name}: ${result} ${detail}`)
    }
  },
  seen: (line: string) => seen.get(line) ?? null,
}

export type Home = typeof verbs

if (import.meta.main) serveCalls(verbs)
