import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:https'
import { connect as connectTcp, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { ALPN, writeMessage } from '../../../../../daemon/relay/protocol.ts'
import { below, createRandom } from '../../../../support/fuzz.ts'
import { makeIdentity } from '../../../../support/identities.ts'
import {
  DOMAIN,
  ed25519Identity,
  portOf,
  startNode,
  startRelay,
  type TakeVisitor,
  type TestNode,
  type TestRelay,
} from '../../../../support/relay.ts'
import { stallable } from '../../../../support/stallable.ts'
import { answerTo, helloMaker, visit } from '../../../../support/visitor.ts'

const started: { stop: () => unknown }[] = []
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop()
})
const relayWith = async (options: Parameters<typeof startRelay>[0] = {}): Promise<TestRelay> => {
  const relay = await startRelay(options)
  started.push(relay)
  return relay
}
const nodeAt = async (options: Parameters<typeof startNode>[0]): Promise<TestNode> => {
  const node = await startNode(options)
  started.push(node)
  return node
}
const echo: TakeVisitor = (stream) => {
  stream.respond({ ':status': 200 })
  stream.pipe(stream)
}
const refuse =
  (status: number): TakeVisitor =>
  (stream) =>
    stream.respond({ ':status': status }, { endStream: true })

describe('a node', () => {
  test('is welcomed with its names, and its tunnel is listed', async () => {
    const relay = await relayWith()
    const identity = await ed25519Identity()
    relay.names.set(`myserver.${DOMAIN}`, identity.id)
    const node = await nodeAt({ port: relay.port, identity })
    const { names, relayId } = await node.hear('welcome')
    expect(names).toEqual([`${identity.id}.${DOMAIN}`, `myserver.${DOMAIN}`])
    expect(relayId).toBe(relay.relay.id)
    expect(relay.relay.status()).toMatchObject([{ nodeId: identity.id, instanceId: 'one', visitors: 0 }])
  })

  test('is heard on its own port, where it may name no host', async () => {
    const relay = await relayWith()
    const { key, cert } = await ed25519Identity()
    const tls = { port: relay.nodesPort, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: [ALPN] }
    const socket = connect({ ...tls, key, cert })
    await once(socket, 'secureConnect')
    expect(socket.alpnProtocol).toBe(ALPN)
    socket.destroy()
  })

  test.each([
    { what: 'no common version', hello: { proto: [2, 3] }, error: { code: 'proto', min: 1, max: 1 } },
    { what: 'a feature that it insists on', hello: { critical: ['teleport'] }, error: { code: 'feature' } },
  ])('is told when it cannot be served: $what', async ({ hello, error }) => {
    const relay = await relayWith()
    const node = await nodeAt({ port: relay.port, hello })
    expect(await node.hear('error')).toMatchObject(error)
    await node.closed
    expect(relay.relay.status()).toEqual([])
    expect(relay.relay.metrics()).toContain(`gate_relay_tunnels_refused_total{reason="${error.code}"} 1`)
  })

  test('of an address that has as many tunnels as it may gets no more, unless one of them ends', async () => {
    const relay = await relayWith({ limited: { tunnelsPerAddress: 1 } })
    const first = await nodeAt({ port: relay.port })
    const second = await nodeAt({ port: relay.port })
    expect(await second.hear('error')).toMatchObject({ code: 'address-limit' })
    const elsewhere = await nodeAt({ port: relay.port, from: '127.0.0.2' })
    await elsewhere.hear('welcome')
    first.stop()
    await expect.poll(() => relay.relay.status()).toHaveLength(1)
    await (await nodeAt({ port: relay.port })).hear('welcome')
  })

  test('gets no tunnel of a relay that has as many as it may, also when all came at once', async () => {
    const relay = await relayWith({ limited: { tunnels: 3 } })
    const nodes = await Promise.all(Array.from({ length: 6 }, () => nodeAt({ port: relay.port })))
    expect(nodes.filter(({ heard }) => heard[0]?.type === 'welcome')).toHaveLength(3)
    expect(relay.relay.metrics()).toContain('gate_relay_tunnels_refused_total{reason="tunnels"} 3')
  })

  test.each([
    { what: 'no key', identity: () => undefined },
    { what: 'an RSA key', identity: () => makeIdentity(['node'], 'rsa') },
    { what: 'a P-256 key of another program', identity: () => makeIdentity(['client.example.com'], 'ec') },
  ])('with $what gets no tunnel', async ({ identity }) => {
    const relay = await relayWith()
    const shown = identity()
    const socket = connect({
      port: relay.port,
      host: '127.0.0.1',
      servername: `relay.${DOMAIN}`,
      rejectUnauthorized: false,
      ALPNProtocols: [ALPN],
      ...(shown === undefined ? {} : { key: shown.key, cert: shown.cert }),
    })
    socket.on('error', () => {})
    await once(socket, 'close')
    expect(relay.relay.metrics()).toContain('gate_relay_tunnels_refused_total{reason="key"} 1')
  })

  test('that says anything before hello, or what only relays say, is let go', async () => {
    const relay = await relayWith()
    const node = await nodeAt({ port: relay.port })
    node.say({ type: 'names', names: [] })
    expect(await node.hear('error')).toMatchObject({ code: 'protocol' })
    await node.closed
  })

  test('may ask, and gets the answer of its own question', async () => {
    const asked: unknown[] = []
    const relay = await relayWith({
      requests: async ({ nodeId, exporter }, request) => {
        asked.push({ nodeId, exporter: exporter.length, request })
        return { result: 'taken' }
      },
    })
    const node = await nodeAt({ port: relay.port })
    node.say({ type: 'claim', id: 7, name: 'myserver', signature: 'AAAA' })
    expect(await node.hear('answer')).toEqual({ type: 'answer', id: 7, result: 'taken' })
    expect(asked).toMatchObject([{ nodeId: node.id, exporter: 32, request: { type: 'claim', name: 'myserver' } }])
  })

  test('gets an answer also when what it asks for goes wrong', async () => {
    const relay = await relayWith({
      requests: async () => {
        throw new Error('a bug')
      },
    })
    const node = await nodeAt({ port: relay.port })
    node.say({ type: 'claim', id: 7, name: 'myserver', signature: 'AAAA' })
    expect(await node.hear('answer')).toEqual({ type: 'answer', id: 7, result: 'unavailable' })
    expect(relay.logged.join('\n')).toContain('error a request of a node has failed')
    expect(relay.relay.status()).toHaveLength(1)
  })

  test('may send ahead as much as the relay says', async () => {
    const relay = await relayWith({ limited: { windowBytes: 2 ** 22 } })
    const node = await nodeAt({ port: relay.port })
    await expect.poll(() => node.session.remoteSettings.initialWindowSize).toBe(2 ** 22)
  })

  test('whose key comes too often has to wait', async () => {
    const relay = await relayWith({ limited: { registrationsPerMinute: 2 } })
    const identity = await ed25519Identity()
    for (let i = 0; i < 2; i += 1) await nodeAt({ port: relay.port, identity })
    const third = await nodeAt({ port: relay.port, identity })
    expect(await third.hear('error')).toMatchObject({ code: 'registrations' })
  })

  test('with one tunnel too many loses the oldest', async () => {
    const relay = await relayWith({ limited: { tunnelsPerNode: 2 } })
    const identity = await ed25519Identity()
    const first = await nodeAt({ port: relay.port, identity })
    for (let i = 0; i < 2; i += 1) await nodeAt({ port: relay.port, identity })
    await first.closed
    expect(relay.relay.status()).toHaveLength(2)
  })

  test('whose key is at two daemons at once is reported', async () => {
    const relay = await relayWith()
    const identity = await ed25519Identity()
    await nodeAt({ port: relay.port, identity })
    await nodeAt({ port: relay.port, identity, hello: { instanceId: 'another' } })
    expect(relay.logged.join('\n')).toMatch(/warn one key has tunnels of two daemons/)
  })

  test('whose key was copied is reported, by the answers of both daemons', async () => {
    const relay = await relayWith({ pingEveryMs: 60 })
    const identity = await ed25519Identity()
    await nodeAt({ port: relay.port, identity })
    await nodeAt({ port: relay.port, identity, hello: { instanceId: 'another' } })
    await expect.poll(() => relay.relay.status().map(({ isCopied }) => isCopied)).toEqual([true, true])
    expect(relay.logged.join('\n')).toMatch(/error one key is used by two daemons/)
    expect(relay.relay.metrics()).toContain('gate_relay_copied_keys_total 1')
  })

  test('that has restarted is no copy, also when its former tunnel is not seen to end', async () => {
    const relay = await relayWith({ pingEveryMs: 100 })
    const identity = await ed25519Identity()
    const between = await stallable(relay.port)
    started.push(between)
    await nodeAt({ port: between.port, identity })
    between.stall()
    await nodeAt({ port: relay.port, identity, hello: { instanceId: 'another' } })
    await expect.poll(() => relay.relay.status()).toMatchObject([{ instanceId: 'another', isCopied: false }])
    expect(relay.relay.metrics()).toContain('gate_relay_copied_keys_total 0')
  })

  test('cannot be played by who has recorded what it said', async () => {
    const relay = await relayWith()
    const said: Buffer[] = []
    const tap = createServer((socket) => {
      const upstream = connectTcp(relay.port, '127.0.0.1')
      socket.on('data', (chunk) => said.push(chunk))
      socket
        .on('error', () => upstream.destroy())
        .pipe(upstream)
        .pipe(socket)
    })
    await once(tap.listen(0, '127.0.0.1'), 'listening')
    const node = await nodeAt({ port: portOf(tap) })
    node.session.destroy()
    await expect.poll(() => relay.relay.status()).toEqual([])
    const replay = connectTcp(relay.port, '127.0.0.1')
    replay.on('error', () => {}).resume()
    for (const chunk of said) replay.write(chunk)
    await once(replay, 'close')
    expect(relay.logged.filter((line) => line.startsWith('info a node has connected'))).toHaveLength(1)
    tap.close()
  })

  test('that answers no ping is gone', async () => {
    const relay = await relayWith({ pingEveryMs: 100 })
    const between = await stallable(relay.port)
    started.push(between)
    await nodeAt({ port: between.port })
    between.stall()
    await expect.poll(() => relay.relay.status()).toEqual([])
    expect(relay.relay.metrics()).toContain('gate_relay_tunnels_lost_total 1')
  })
})

test('a node that hangs up and keeps its connection is asked for nothing any more', async () => {
  const relay = await relayWith({ pingEveryMs: 60 })
  const failures: unknown[] = []
  const note = (error: unknown) => failures.push(error)
  process.on('uncaughtException', note)
  try {
    const node = await nodeAt({ port: relay.port })
    node.hangUp()
    const turns = await nodeAt({ port: relay.port, take: echo })
    await expect.poll(() => relay.relay.status().map(({ nodeId }) => nodeId)).toContain(turns.id)
    await expect
      .poll(() => relay.relay.status().find(({ nodeId }) => nodeId === turns.id)?.rttMs ?? null)
      .not.toBeNull()
    expect(failures).toEqual([])
  } finally {
    process.off('uncaughtException', note)
  }
})

test('what a node says out of order or in rubbish ends its tunnel and nothing else', async () => {
  const relay = await relayWith()
  const calm = await nodeAt({ port: relay.port, take: echo })
  const random = createRandom(15)
  const rubbish = () => {
    const bytes = Buffer.from(Array.from({ length: 1 + below(random, 200) }, () => below(random, 256)))
    return Buffer.concat([Buffer.of(0, bytes.length), bytes])
  }
  await Promise.all(
    Array.from({ length: 30 }, async (_, i) => {
      const node = await nodeAt({ port: relay.port })
      node.sayBytes(rubbish())
      if (i % 2 === 0) node.stop()
      await node.closed
    }),
  )
  const bytes = (await helloMaker())(calm.host)
  const visitor = await visit(relay.port, bytes)
  await visitor.receive(bytes.length)
  visitor.socket.destroy()
  await expect.poll(() => relay.relay.status()).toHaveLength(1)
})

const framed = (text: string) => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(text.length)
  return Buffer.concat([length, Buffer.from(text)])
}

test.each([
  { what: 'messages that the relay does not know', piece: framed('{"type":"later"}'), count: 5_000 },
  { what: 'requests', piece: writeMessage({ type: 'release', id: 1, name: 'x' }), count: 2_000 },
  { what: 'long messages', piece: framed(`{"type":"later","x":"${'x'.repeat(16_000)}"}`), count: 5 },
])('a node that floods its tunnel with $what is let go, and others stay', async ({ piece, count }) => {
  const relay = await relayWith()
  const calm = await nodeAt({ port: relay.port, take: echo })
  const node = await nodeAt({ port: relay.port })
  for (let i = 0; i < count; i++) node.sayBytes(piece)
  await node.closed
  expect(node.heard).toContainEqual({ type: 'error', code: 'protocol' })
  expect(await calm.ask({ type: 'release', name: 'x' })).toMatchObject({ result: 'unavailable' })
})

test('a validation of the name of the relay itself is answered while one is going on', async () => {
  const answering = makeIdentity([`relay.${DOMAIN}`])
  let current: typeof answering | null = answering
  const relay = await relayWith({ challenge: () => current })
  const tls = { port: relay.port, host: '127.0.0.1', servername: `relay.${DOMAIN}`, ALPNProtocols: ['acme-tls/1'] }
  const socket = connect({ ...tls, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  expect(socket.alpnProtocol).toBe('acme-tls/1')
  expect(socket.getPeerX509Certificate()?.toString()).toBe(new X509Certificate(answering.cert).toString())
  socket.destroy()
  current = null
  expect(await answerTo(relay.port, (await helloMaker(['acme-tls/1']))(`relay.${DOMAIN}`))).toBe('alert 49')
})

describe('a visitor', () => {
  test.each([421, 429, 503])('refused with %i is told by an alert', async (status) => {
    const relay = await relayWith()
    const node = await nodeAt({ port: relay.port, take: refuse(status) })
    const hello = await helloMaker()
    expect(await answerTo(relay.port, hello(node.host))).toBe('alert 80')
  })

  test('is offered to the next tunnel, with its first bytes', async () => {
    const relay = await relayWith()
    const identity = await ed25519Identity()
    await nodeAt({ port: relay.port, identity, take: echo })
    await nodeAt({ port: relay.port, identity, take: refuse(503) })
    const bytes = (await helloMaker())(`${identity.id}.${DOMAIN}`)
    for (let i = 0; i < 4; i += 1) {
      const visitor = await visit(relay.port, bytes)
      expect((await visitor.receive(bytes.length)).equals(bytes)).toBe(true)
      visitor.socket.destroy()
    }
  })

  test('that resets its connection resets the stream, and the other way round', async () => {
    const relay = await relayWith()
    const codes: (number | undefined)[] = []
    const node = await nodeAt({
      port: relay.port,
      take(stream) {
        stream.respond({ ':status': 200 })
        stream.on('data', (chunk: Buffer) => (chunk.includes('reset me') ? stream.close(8) : stream.write(chunk)))
        stream.once('close', () => codes.push(stream.rstCode))
      },
    })
    const bytes = (await helloMaker())(node.host)
    const leaving = await visit(relay.port, bytes)
    await leaving.receive(bytes.length)
    leaving.socket.resetAndDestroy()
    await expect.poll(() => codes).toEqual([8])
    const other = await visit(relay.port, bytes)
    await other.receive(bytes.length)
    other.socket.write('reset me')
    expect(await other.closed).toBe('reset')
  })

  test('of a node that goes away is reset', async () => {
    const relay = await relayWith()
    const node = await nodeAt({ port: relay.port, take: echo })
    const bytes = (await helloMaker())(node.host)
    const visitor = await visit(relay.port, bytes)
    await visitor.receive(bytes.length)
    node.stop()
    expect(await visitor.closed).toBe('reset')
  })

  test('for a validation of a node that is not there is not counted', async () => {
    const relay = await relayWith({ limited: { challengesPerHour: 1 } })
    const identity = await ed25519Identity()
    const bytes = (await helloMaker(['acme-tls/1']))(`${identity.id}.${DOMAIN}`)
    for (let i = 0; i < 3; i += 1) expect(await answerTo(relay.port, bytes)).toBe('alert 80')
    await nodeAt({ port: relay.port, identity, take: echo })
    const visitor = await visit(relay.port, bytes)
    await visitor.receive(bytes.length)
    visitor.socket.destroy()
  })

  test('for a validation of ACME is passed on, a few times in an hour for each address', async () => {
    const relay = await relayWith({ limited: { challengesPerHour: 1 } })
    const node = await nodeAt({ port: relay.port, take: echo })
    const bytes = (await helloMaker(['acme-tls/1']))(node.host)
    const visitor = await visit(relay.port, bytes)
    await visitor.receive(bytes.length)
    visitor.socket.destroy()
    expect(await answerTo(relay.port, bytes)).toBe('alert 49')
    const authority = await visit(relay.port, bytes, { from: '127.0.0.2' })
    await authority.receive(bytes.length)
    authority.socket.destroy()
    const other = (await helloMaker(['acme-tls/1', 'h2']))(node.host)
    const passed = await visit(relay.port, other)
    await passed.receive(other.length)
    passed.socket.destroy()
  })
})

describe('a drain', () => {
  test('asks nodes to go elsewhere, serves who is there to the end, and takes no more nodes', async () => {
    const relay = await relayWith()
    const node = await nodeAt({ port: relay.port, take: echo })
    const bytes = (await helloMaker())(node.host)
    const visitor = await visit(relay.port, bytes)
    await visitor.receive(bytes.length)
    const drained = relay.relay.drain()
    expect((await node.hear('drain')).reconnectAfterMs).toBeLessThan(10_000)
    const late = await nodeAt({ port: relay.port })
    expect(await late.hear('error')).toMatchObject({ code: 'draining' })
    visitor.socket.end('and more')
    expect(await visitor.closed).toBe('closed')
    expect(visitor.got().toString('latin1')).toMatch(/and more$/)
    await drained
  })

  test('goes on taking visitors while there are other relays, and says that it drains where a node is away', async () => {
    const other = { id: 'other', address: '127.0.0.1:1' }
    const presence = { announce: () => {}, withdraw: () => {}, routesOf: () => [], peers: () => [other] }
    const relay = await relayWith({ limited: { drainMs: 600 }, presence })
    const node = await nodeAt({ port: relay.port, take: echo })
    const hello = await helloMaker()
    const never = new AbortController().signal
    const released = relay.relay.release(never)
    await node.hear('drain')
    const bytes = hello(node.host)
    const visitor = await visit(relay.port, bytes)
    await visitor.receive(bytes.length)
    expect(await answerTo(relay.port, hello(`${'b'.repeat(32)}.${DOMAIN}`))).toBe('alert 80')
    expect(relay.relay.metrics()).toContain('gate_relay_refused_total{reason="draining"} 1')
    await released
    expect(relay.relay.status()).toMatchObject([{ visitors: 1 }])
    await relay.relay.drain()
    expect(await visitor.closed).toBe('reset')
  })

  test('waits for no other relay where there is none, or where nothing is left', async () => {
    const alone = await relayWith()
    await nodeAt({ port: alone.port, take: echo })
    const never = new AbortController().signal
    await alone.relay.release(never)
    const other = { id: 'other', address: '127.0.0.1:1' }
    const presence = { announce: () => {}, withdraw: () => {}, routesOf: () => [], peers: () => [other] }
    const idle = await relayWith({ presence })
    await idle.relay.release(never)
    await idle.relay.drain()
  })

  test('ends who stays too long', async () => {
    const relay = await relayWith({ limited: { drainMs: 20 } })
    const node = await nodeAt({ port: relay.port, take: echo })
    const bytes = (await helloMaker())(node.host)
    const visitor = await visit(relay.port, bytes)
    await visitor.receive(bytes.length)
    await relay.relay.drain()
    expect(await visitor.closed).toBe('reset')
  })
})

describe('the page of the relay', () => {
  const ask = (port: number, path: string, key: object): Promise<{ status: number | undefined; body: string }> =>
    new Promise((resolve, reject) => {
      const options = { port, host: '127.0.0.1', path, servername: `relay.${DOMAIN}`, rejectUnauthorized: false }
      request({ ...options, ...key, agent: false }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), reject)
      })
        .on('error', reject)
        .end()
    })

  test('shows a node its own tunnels, and nobody those of another', async () => {
    const relay = await relayWith()
    const identity = await ed25519Identity()
    await nodeAt({ port: relay.port, identity })
    await nodeAt({ port: relay.port })
    const { key, cert } = identity
    const { body } = await ask(relay.port, '/tunnels', { key, cert })
    expect(JSON.parse(body)).toMatchObject({ nodeId: identity.id, tunnels: [{ nodeId: identity.id }] })
    expect((await ask(relay.port, '/tunnels', {})).status).toBe(403)
    expect((await ask(relay.port, '/', {})).status).toBe(200)
    expect((await ask(relay.port, '/other', {})).status).toBe(404)
  })
})
