import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ipv4Addresses, proxyV1, proxyV2 } from '../../../../support/proxy-header.ts'
import { DOMAIN, startNode, startRelay, type TestNode, type TestRelay } from '../../../../support/relay.ts'
import { answerTo, helloMaker, visit } from '../../../../support/visitor.ts'

type Seen = { readonly headers: Readonly<Record<string, unknown>>; readonly bytes: () => Buffer; ended: boolean }

let relay: TestRelay
let node: TestNode
let hello: (name: string | null) => Buffer
/** What the node's visitors were, newest last. */
const seen: Seen[] = []
const last = (): Seen => {
  const visitor = seen.at(-1)
  if (visitor === undefined) throw new Error('no visitor has come')
  return visitor
}

beforeAll(async () => {
  hello = await helloMaker()
  relay = await startRelay({ proxies: ['127.0.0.9'] })
  node = await startNode({
    port: relay.port,
    take(stream, headers) {
      const chunks: Buffer[] = []
      const visitor: Seen = { headers, bytes: () => Buffer.concat(chunks), ended: false }
      seen.push(visitor)
      stream.respond({ ':status': 200 })
      stream.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        stream.write(chunk)
      })
      stream.once('end', () => {
        visitor.ended = true
        stream.end('the end')
      })
    },
  })
  relay.names.set(`myserver.${DOMAIN}`, node.id)
  relay.names.set('ai.example.org', node.id)
  relay.names.set(`gone.${DOMAIN}`, 'a'.repeat(32))
})
afterAll(async () => {
  node?.stop()
  await relay?.stop()
})

describe('a visitor', () => {
  test('reaches the node with all its bytes, and gets all that come back', async () => {
    const first = Buffer.concat([hello(node.host), Buffer.from('early data')])
    const rest = randomBytes(3_000_000)
    const visitor = await visit(relay.port, first)
    await visitor.receive(first.length)
    visitor.socket.write(rest)
    const expected = Buffer.concat([first, rest])
    expect((await visitor.receive(expected.length)).equals(expected)).toBe(true)
    expect(last().bytes().equals(expected)).toBe(true)
    visitor.socket.destroy()
  })

  test('is told to the node', async () => {
    const bytes = hello(node.host)
    const visitor = await visit(relay.port, bytes)
    await visitor.receive(bytes.length)
    expect(last().headers).toMatchObject({
      ':method': 'CONNECT',
      ':authority': `${node.host}:443`,
      'gate-src': `127.0.0.1:${visitor.socket.localPort}`,
      'gate-dst': `127.0.0.1:${relay.port}`,
      'gate-relay': relay.relay.id,
      'gate-hops': '0',
    })
    expect(last().headers['gate-conn']).toMatch(/^[0-9a-f]{16}$/)
    visitor.socket.destroy()
  })

  test('may end its side and still gets the answer', async () => {
    const bytes = hello(node.host)
    const visitor = await visit(relay.port, bytes)
    await visitor.receive(bytes.length)
    visitor.socket.end('bye')
    expect(await visitor.closed).toBe('closed')
    expect(visitor.got().toString('latin1')).toMatch(/bye.*the end$/s)
    expect(last().ended).toBe(true)
  })

  test.each([
    ['the name of its key', () => node.host],
    ['a claimed name', () => `myserver.${DOMAIN}`],
    ['a custom domain', () => 'ai.example.org'],
    ['capitals', () => node.host.toUpperCase()],
    ['a final dot', () => `${node.host}.`],
  ])('by %s', async (_, name) => {
    const bytes = hello(name())
    const visitor = await visit(relay.port, bytes)
    expect((await visitor.receive(bytes.length)).equals(bytes)).toBe(true)
    visitor.socket.destroy()
  })

  test.each([
    { what: 'an unknown name', name: `other.${DOMAIN}`, told: 'alert 112' },
    { what: 'no name', name: null, told: 'alert 112' },
    { what: 'an address', name: '192.0.2.1', told: 'alert 112' },
    { what: 'the domain itself', name: DOMAIN, told: 'alert 112' },
    { what: 'a node that is not there', name: `${'b'.repeat(32)}.${DOMAIN}`, told: 'alert 80' },
    { what: 'a claimed name whose node is not there', name: `gone.${DOMAIN}`, told: 'alert 80' },
    { what: 'a NUL in the name', name: `my\0server.${DOMAIN}`, told: 'alert 50' },
  ])('is refused for $what', async ({ name, told }) => {
    expect(await answerTo(relay.port, hello(name))).toBe(told)
  })

  test('is refused for a label before the name of a key', async () => {
    expect(await answerTo(relay.port, hello(`www.${node.host}`))).toBe('alert 112')
  })

  test('that speaks HTTP is told to speak TLS, and other words are not answered', async () => {
    expect(await answerTo(relay.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('HTTP/1.1 400')
    expect(await answerTo(relay.port, 'SSH-2.0-OpenSSH_10\r\n')).toBe('closed')
  })

  test('over the port of nodes reaches a node, too', async () => {
    const bytes = hello(node.host)
    const visitor = await visit(relay.nodesPort, bytes)
    await visitor.receive(bytes.length)
    visitor.socket.destroy()
  })
})

describe('a PROXY header', () => {
  const from = { from: '127.0.0.9' }
  test.each([
    ['version 1', () => Buffer.from(proxyV1('192.0.2.7'))],
    ['version 2', () => proxyV2(ipv4Addresses('192.0.2.7'))],
  ])('from a listed proxy says who the visitor is: %s', async (_, header) => {
    const bytes = hello(node.host)
    const visitor = await visit(relay.port, Buffer.concat([header(), bytes]), from)
    expect((await visitor.receive(bytes.length)).equals(bytes)).toBe(true)
    expect(last().headers['gate-src']).toMatch(/^192\.0\.2\.7:47\d\d$/)
    visitor.socket.destroy()
  })

  test('must come from a listed proxy, and from no other', async () => {
    expect(await answerTo(relay.port, hello(node.host), from)).toBe('closed')
    const header = Buffer.from(proxyV1('192.0.2.7'))
    expect(await answerTo(relay.port, Buffer.concat([header, hello(node.host)]))).toBe('closed')
  })
})
