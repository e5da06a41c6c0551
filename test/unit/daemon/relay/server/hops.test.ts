import { once } from 'node:events'
import { connect as connectH2 } from 'node:http2'
import { connect } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { HOP_ALPN } from '../../../../../daemon/relay/protocol.ts'
import {
  DOMAIN,
  ed25519Identity,
  startNode,
  startRelay,
  type TakeVisitor,
  type TestRelay,
} from '../../../../support/relay.ts'
import { stallable } from '../../../../support/stallable.ts'
import { answerTo, helloMaker, visit } from '../../../../support/visitor.ts'

const started: { stop: () => unknown }[] = []
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop()
})

type Fleet = {
  readonly a: TestRelay
  readonly b: TestRelay
  readonly routes: Map<string, string[]>
  /** Relays that are in no registry any more. */
  readonly gone: Set<string>
}
type Key = Awaited<ReturnType<typeof ed25519Identity>>

/**
 * Two relays that know of each other.
 * @param keyOfB what A believes the key of B to be @param more parts of both
 */
async function startFleet(
  keyOfB?: Key,
  more: Parameters<typeof startRelay>[0] = {},
): Promise<Fleet & { keyA: Key; ports: { a: number; b: number } }> {
  const [keyA, keyB] = [await ed25519Identity(), await ed25519Identity()]
  const routes = new Map<string, string[]>()
  const ports = { a: 0, b: 0 }
  const gone = new Set<string>()
  const presenceOf = (self: 'a' | 'b', id: string) => ({
    announce: () => {},
    withdraw: () => {},
    routesOf: (node: string) => (routes.get(node) ?? []).map((relay) => ({ relay, epoch: 1 })),
    peers: () => (gone.has(id) ? [] : [{ id, address: `127.0.0.1:${ports[self === 'a' ? 'b' : 'a']}` }]),
  })
  const a = await startRelay({ ...more, ownKey: keyA, presence: presenceOf('a', (keyOfB ?? keyB).id) })
  const b = await startRelay({ ...more, ownKey: keyB, presence: presenceOf('b', keyA.id) })
  started.push(a, b)
  ports.a = a.port
  ports.b = b.port
  return { a, b, routes, gone, keyA, ports }
}

const echo =
  (seen: Readonly<Record<string, unknown>>[] = []): TakeVisitor =>
  (stream, headers) => {
    seen.push(headers)
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  }

test('a visitor of one relay reaches a node that has dialled the other', async () => {
  const { a, b, routes } = await startFleet()
  const seen: Readonly<Record<string, unknown>>[] = []
  const node = await startNode({ port: b.port, take: echo(seen) })
  started.push(node)
  routes.set(node.id, [b.relay.id])
  const bytes = (await helloMaker())(node.host)
  const visitor = await visit(a.port, bytes)
  await visitor.receive(bytes.length)
  const more = Buffer.alloc(500_000, 'x')
  visitor.socket.end(more)
  const got = await visitor.receive(bytes.length + more.length)
  expect(got.equals(Buffer.concat([bytes, more]))).toBe(true)
  expect(await visitor.closed).toBe('closed')
  expect(seen[0]).toMatchObject({
    'gate-src': `127.0.0.1:${visitor.socket.localPort ?? seen[0]?.['gate-src']?.toString().split(':')[1]}`,
    'gate-relay': a.relay.id,
    'gate-hops': '1',
  })
  expect(a.relay.metrics()).toContain('gate_relay_forwarded_total 1')
})

test('relays that send a visitor to each other do not go round', async () => {
  const { a, b, routes } = await startFleet()
  const nobody = 'c'.repeat(32)
  routes.set(nobody, [b.relay.id, a.relay.id])
  expect(await answerTo(a.port, (await helloMaker())(`${nobody}.${DOMAIN}`))).toBe('alert 80')
})

test('a relay with another key than the registry says gets no visitor', async () => {
  const { a, b, routes } = await startFleet(await ed25519Identity())
  const node = await startNode({ port: b.port, take: echo() })
  started.push(node)
  const [believed = ''] = [(await ed25519Identity()).id]
  routes.set(node.id, [believed, b.relay.id])
  expect(await answerTo(a.port, (await helloMaker())(node.host))).toBe('alert 80')
})

test('a relay that was taken out of the registry sends no more visitors', async () => {
  const { a, b, routes, gone } = await startFleet()
  const node = await startNode({ port: b.port, take: echo() })
  started.push(node)
  routes.set(node.id, [b.relay.id])
  const bytes = (await helloMaker())(node.host)
  const before = await visit(a.port, bytes)
  await before.receive(bytes.length)
  gone.add(a.relay.id)
  expect(await answerTo(a.port, bytes)).toBe('alert 80')
  before.socket.end('more')
  await before.receive(bytes.length + 4)
})

test.each([
  { who: 'a key that is not in the registry', own: false, hops: '1', told: 'closed' },
  { who: 'a visitor that went through two relays', own: true, hops: '2', told: 400 },
  { who: 'a name that leads nowhere', own: true, hops: '1', told: 421 },
])('refused between relays: $who', async ({ own, hops, told }) => {
  const { b, keyA } = await startFleet()
  const { session, closed } = await connectHop(b, own ? keyA : await ed25519Identity())
  const stream = session.request({ ':method': 'CONNECT', ':authority': `x.${DOMAIN}:443`, 'gate-hops': hops })
  stream.on('error', () => {})
  const answered = once(stream, 'response').then(
    ([headers]) => headers[':status'],
    () => 'closed',
  )
  expect(await Promise.race([closed, answered])).toBe(told)
  session.destroy()
})

test('a relay that answers no ping is left by both, and dialled again for the next visitor', async () => {
  const { a, b, routes, ports } = await startFleet(undefined, { pingEveryMs: 100 })
  const between = await stallable(b.port)
  started.push(between)
  ports.b = between.port
  const node = await startNode({ port: b.port, take: echo() })
  started.push(node)
  routes.set(node.id, [b.relay.id])
  const bytes = (await helloMaker())(node.host)
  const before = await visit(a.port, bytes)
  await before.receive(bytes.length)
  const own = b.open()
  between.stall()
  expect(await before.closed).toBe('reset')
  await expect.poll(b.open, { timeout: 4_000 }).toBe(own - 1)
  const after = await visit(a.port, bytes)
  await after.receive(bytes.length)
  after.socket.destroy()
})

test('a relay that resets streams in whatever order takes nothing down', async () => {
  const { b, keyA } = await startFleet()
  const failures: unknown[] = []
  const note = (error: unknown) => failures.push(error)
  process.on('uncaughtException', note).on('unhandledRejection', note)
  try {
    const answers: (() => void)[] = []
    const node = await startNode({
      port: b.port,
      take: (stream) => void answers.push(() => !stream.closed && stream.respond({ ':status': 200 })),
    })
    started.push(node)
    const { session } = await connectHop(b, keyA)
    const head = { ':method': 'CONNECT', ':authority': `${node.host}:443`, 'gate-hops': '1' }
    const codes = [0, 0, 2, 8]
    const streams = codes.map(() => {
      const stream = session.request(head, { endStream: false })
      stream.on('error', () => {})
      stream.write('hello')
      return stream
    })
    await expect.poll(() => answers).toHaveLength(codes.length)
    for (const [i, stream] of streams.entries()) {
      stream.write(Buffer.alloc(20_000)) // stays unread, so that the stream is closed and not yet gone
      stream.close(codes[i])
    }
    for (const answer of answers) answer()
    await expect.poll(() => b.relay.metrics()).toMatch(/^gate_relay_visitors 0$/m)
    expect(failures).toEqual([])
    session.destroy()
  } finally {
    process.off('uncaughtException', note).off('unhandledRejection', note)
  }
})

/** What another relay does, by hand. */
async function connectHop({ port }: TestRelay, { key, cert }: Key) {
  const socket = connect({
    port: port,
    host: '127.0.0.1',
    key,
    cert,
    servername: `_hop.${DOMAIN}`,
    ALPNProtocols: [HOP_ALPN],
    rejectUnauthorized: false,
  })
  socket.on('error', () => {})
  const closed = once(socket, 'close').then(() => 'closed')
  await once(socket, 'secureConnect')
  const session = connectH2('https://b', { createConnection: () => socket })
  session.on('error', () => {})
  return { session, closed }
}
