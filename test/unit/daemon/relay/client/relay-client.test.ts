import { once } from 'node:events'
import type { ClientHttp2Stream } from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type NodeIdentity, nodeIdentity } from '../../../../../daemon/relay/client/identity.ts'
import { openNodeKey } from '../../../../../daemon/relay/client/node-key.ts'
import { domainsOf } from '../../../../../daemon/relay/client/own-names.ts'
import { createRelayClient } from '../../../../../daemon/relay/client/relay-client.ts'
import type { VisitorSocket } from '../../../../../daemon/relay/client/visitor-socket.ts'
import { configSchema } from '../../../../../schemas/config/config.ts'
import { readProxyHeader } from '../../../../../wire/proxy-protocol.ts'
import { until } from '../../../../support/daemon.ts'
import { type LyingRelay, startLyingRelay } from '../../../../support/lying-relay.ts'
import { DOMAIN, portOf } from '../../../../support/relay.ts'
import { temporaryDirectory } from '../../../../support/temporary-directory.ts'
import { helloMaker } from '../../../../support/visitor.ts'

let folder: ReturnType<typeof temporaryDirectory>
let identity: NodeIdentity
let logged: string[]
let visitors: { readonly socket: VisitorSocket; readonly source: string }[]
const ends: (() => Promise<void>)[] = []
beforeEach(async () => {
  folder = temporaryDirectory()
  identity = await nodeIdentity(openNodeKey(folder.path))
  logged = []
  visitors = []
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  folder.remove()
})

async function lying(lies: Parameters<typeof startLyingRelay>[0]): Promise<LyingRelay> {
  const relay = await startLyingRelay(lies)
  ends.push(relay.stop)
  return relay
}

/** A client that dials it. */
function dialling({ port, pin }: LyingRelay, settings: Readonly<Record<string, unknown>> = {}) {
  const relay = { addresses: [`127.0.0.1:${port}`], pins: [pin], domain: DOMAIN, ...settings }
  const client = createRelayClient(
    {
      identity,
      take: (socket, source) => void visitors.push({ socket, source }),
      named: () => {},
      now: () => performance.now(),
      wall: Date.now,
      random: () => 0.5,
      log: (level, message, fields) => void logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`),
    },
    configSchema.parse({ relay }).relay,
  )
  ends.push(client.stop)
  client.start()
  return client
}

test('names of others that a relay says lead to nothing here', async () => {
  const own = `${identity.nodeId}.${DOMAIN}`
  const wanted = [own, `me.${DOMAIN}`, 'ai.example.net']
  const foreign = [
    'evil.example',
    `other.${DOMAIN}`,
    `${identity.nodeId}.evil.example`,
    'me.evil.example',
    `x.${own}`,
    DOMAIN,
  ]
  let said = [...foreign, ...wanted]
  const relay = await lying({ welcome: () => ({ names: said }) })
  const client = dialling(relay, { custom_domain: 'me', names: ['ai.example.net'] })
  await until(() => client.names().length > 0)
  expect(client.names()).toEqual(wanted)
  const [node] = relay.nodes
  const statuses = await Promise.all(
    [...foreign, ...wanted].map(
      (name) =>
        new Promise((resolve) => node?.visit(name, '192.0.2.9').once('response', (head) => resolve(head[':status']))),
    ),
  )
  expect(statuses).toEqual([...foreign.map(() => 421), ...wanted.map(() => 200)])
  said = [...foreign, own] // by the second tunnel, which may not be up yet
  for (const each of relay.nodes) each.say({ type: 'names', names: said })
  await until(() => client.names().length === 1)
  expect(client.names()).toEqual([own])
  expect(logged.filter((line) => line.includes('not this gateway’s')).length).toBe(1)
})

test.each([
  { name: 'relay.DOMAIN', addresses: ['relay.Example.ORG:443'], domain: undefined, expected: ['example.org'] },
  { name: 'an address of IP', addresses: ['192.0.2.1:443'], domain: undefined, expected: [] },
  { name: 'a domain that is set', addresses: ['relay.example.org:443'], domain: 'n.example', expected: ['n.example'] },
])('the domain of relays by $name', ({ addresses, domain, expected }) => {
  expect(domainsOf({ addresses, domain })).toEqual(expected)
})

test('a name that is not asked for any more is the node’s no more', async () => {
  const relay = await lying({ welcome: (id) => ({ names: [`${id}.${DOMAIN}`, `me.${DOMAIN}`] }) })
  const client = dialling(relay, { custom_domain: 'me' })
  await until(() => client.names().length === 2)
  const settings = { addresses: [`127.0.0.1:${relay.port}`], pins: [relay.pin], domain: DOMAIN }
  client.apply(configSchema.parse({ relay: settings }).relay)
  expect(client.names()).toEqual([`${identity.nodeId}.${DOMAIN}`])
})

test('a relay that says goodbye with each welcome is dialled with pauses', async () => {
  const relay = await lying({ welcomed: (node) => node.say({ type: 'drain', reconnectAfterMs: 0 }) })
  const client = dialling(relay)
  await until(() => client.failed().some(({ failures }) => failures >= 2))
  expect(client.failed().every(({ failures, againInMs }) => failures < 2 || againInMs > 0)).toBe(true)
  expect(relay.nodes.length).toBeLessThan(8)
})

test.each([
  { name: 'names without end', count: 100, says: /too many messages/ },
  { name: 'a name that is a path', count: 1, names: ['../../x'], says: /names/ },
])('a relay that says $name loses its tunnel', async ({ count, names, says }) => {
  const relay = await lying({
    welcomed: (node) => {
      for (let i = 0; i < count; i++) node.say({ type: 'names', names: names ?? [node.host, `n${i}.evil.example`] })
    },
  })
  dialling(relay)
  await until(() => logged.some((line) => says.test(line)))
  expect(logged.filter((line) => line.includes('names that')).length).toBeLessThan(4)
})

test('visitors that leave, however many, take nothing from the others', async () => {
  const relay = await lying({})
  const client = dialling(relay)
  await until(() => client.tunnels().length > 0)
  const [node] = relay.nodes
  if (node === undefined) throw new Error('it is here')
  for (let i = 0; i < 1_200; i++) {
    const stream = node.visit(node.host, '192.0.2.9')
    await once(stream, 'response')
    stream.close(8)
    if (i % 50 === 0) await new Promise(setImmediate)
  }
  await once(node.visit(node.host, '192.0.2.9'), 'response')
  expect(node.session.destroyed).toBe(false)
})

test('visitors that are reset before they are answered harm nothing', async () => {
  const relay = await lying({})
  const client = dialling(relay)
  await until(() => client.names().length > 0)
  const [node] = relay.nodes
  if (node === undefined) throw new Error('it is here')
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 20; i++) {
      const stream = node.visit(i % 2 === 0 ? node.host : 'evil.example', '192.0.2.9')
      stream.write(Buffer.alloc(100))
      stream.close(8)
    }
    await new Promise(setImmediate)
  }
  await until(() => client.tunnels().every(({ visitors: open }) => open === 0))
  expect(client.tunnels().length).toBeGreaterThan(0)
  node.visit(node.host, '192.0.2.9')
  await until(() => client.tunnels().some(({ visitors: open }) => open === 1))
})

describe('a local server', () => {
  const NAME = 'photos.example.net'
  let server: Server
  let connections: Socket[]
  beforeEach(async () => {
    connections = []
    server = createServer((socket) => void connections.push(socket.on('error', () => {})))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    for (const socket of connections) socket.destroy()
    server.close()
  })

  const statusOf = (stream: ClientHttp2Stream) =>
    new Promise<unknown>((resolve) => stream.once('response', (head) => resolve(head[':status'])))

  test.each([
    { name: 'another name in its ClientHello', first: async () => (await helloMaker())('intern.example.net') },
    { name: 'no name in its ClientHello', first: async () => (await helloMaker())(null) },
    { name: 'no TLS', first: async () => Buffer.from('GET / HTTP/1.1\r\n\r\n') },
  ])('gets no visitor with $name', async ({ first }) => {
    const relay = await lying({ welcome: () => ({ names: [NAME] }) })
    const client = dialling(relay, { backends: [{ names: [NAME], address: `127.0.0.1:${portOf(server)}` }] })
    await until(() => client.passed().length > 0)
    expect(client.names()).toEqual([])
    const stream = relay.nodes[0]?.visit(NAME, '192.0.2.9')
    if (stream === undefined) throw new Error('it has dialled')
    stream.write(await first())
    expect(await statusOf(stream)).toBe(421)
    expect([connections.length, visitors.length]).toEqual([0, 0])
  })

  test('is looked for by a header that is for no client', async () => {
    const relay = await lying({})
    const address = `127.0.0.1:${portOf(server)}`
    const client = dialling(relay, { backends: [{ names: [NAME], address }] })
    expect((await client.backends()).map(({ error }) => error)).toEqual([undefined])
    await until(() => connections.length === 1)
    const [bytes] = (await once(connections[0] ?? server, 'data')) as [Buffer]
    expect(readProxyHeader(bytes)).toEqual({ kind: 'proxied', peer: null, port: null, bytes: bytes.length })
  })
})
