import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { constants } from 'node:http2'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { KEY, startDataPlane } from '../support/data-plane.ts'
import {
  completion,
  DONE,
  type FakeUpstream,
  frame,
  STREAM_HEADERS,
  sendJson,
  startFakeUpstream,
} from '../support/fake-upstream.ts'
import { makeIdentity, swappableIdentities } from '../support/identities.ts'
import { sendRaw } from '../support/raw-http.ts'
import {
  type Answered,
  type Asking,
  answerOf,
  ask1,
  ask2,
  begin2,
  openHttp2,
  shakeHands,
} from '../support/tls-clients.ts'

// S20 to S23 and R18 over TLS: real sockets, the stages of the daemon, certificates by openssl.

const main = makeIdentity(['ai.example.org', '127.0.0.1'])
const wildcard = makeIdentity(['*.example.net'], 'rsa')
const challenge = makeIdentity(['ai.example.org'], 'rsa')
const { identities, swap } = swappableIdentities([main, wildcard], { 'ai.example.org': challenge })
const HELLOS = join(import.meta.dirname, '../unit/wire/client-hellos.json')
const CHAT = { method: 'POST', path: '/v1/chat/completions' }
const AUTH = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }

let upstream: FakeUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  upstream = await startFakeUpstream((request, response) => {
    const { messages, stream } = JSON.parse(request.body)
    const [{ content }] = messages
    if (content === 'hang') return
    if (content === 'odd') {
      response.setHeader('etag', ['"1"', '"2"'])
      return sendJson(response, 200, completion(content), ODD)
    }
    if (stream !== true) return sendJson(response, 200, completion(content))
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'begun' }))
    if (content === 'break') setImmediate(() => response.destroy())
  })
  const server = { stall_timeout: '1s', max_body: '1MiB' }
  const upstreams = { mock: { provider: 'custom', base_url: upstream.url, api_key: 'key', models: ['mock'] } }
  gate = await startDataPlane(
    { server, upstreams },
    { identities, limits: { headersTimeoutMs: 500, bodyTimeoutMs: 500 } },
  )
  await gate.refresh()
})
afterAll(async () => {
  await gate?.stop()
  await upstream?.close()
})

const chat = (content: string, stream = false): Asking => ({
  ...CHAT,
  headers: AUTH,
  body: JSON.stringify({ model: 'mock', stream, messages: [{ role: 'user', content }] }),
})

/** Asks once over a connection of its own. */
async function ask(version: string, asking: Asking): Promise<Answered> {
  if (version === 'HTTP/1.1') return ask1(gate.url, asking)
  const session = await openHttp2(gate.url)
  try {
    return await ask2(session, asking)
  } finally {
    session.close()
  }
}

/** What HTTP/2 has no place for, or room for once. */
const ODD = { 'http2-settings': 'x', 'proxy-connection': 'close', upgrade: 'h2c', 'x-odd': 'é' }
const CLIENT_HELLO = JSON.parse(readFileSync(HELLOS, 'utf8'))[0].wire
const HTTP = ['HTTP/1.1', 'HTTP/2']
const sha256 = (pem: string) => new X509Certificate(pem).fingerprint256

describe('which certificate is shown', () => {
  test.each([
    { name: 'no name', servername: '', shown: main },
    { name: 'a name', servername: 'ai.example.org', shown: main },
    { name: 'upper case', servername: 'AI.Example.ORG', shown: main },
    { name: 'a trailing dot', servername: 'ai.example.org.', shown: main },
    { name: 'a name of the wildcard', servername: 'new.example.net', shown: wildcard },
    { name: 'upper case and a trailing dot', servername: 'NEW.example.net.', shown: wildcard },
    { name: 'an unknown name', servername: 'other.example.com', shown: main },
  ])('$name', async ({ servername, shown }) => {
    const socket = await shakeHands(gate.url, { servername })
    expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(sha256(shown.cert))
    socket.destroy()
  })
})

describe('what is agreed on', () => {
  test.each([
    { offered: undefined, chosen: false },
    { offered: ['http/1.1'], chosen: 'http/1.1' },
    { offered: ['http/1.1', 'h2'], chosen: 'h2' },
    { offered: ['acme-tls/1', 'h2'], chosen: 'h2' },
    { offered: ['spdy/3', 'http/1.1'], chosen: 'http/1.1' },
  ])('of $offered: $chosen', async ({ offered, chosen }) => {
    const socket = await shakeHands(gate.url, offered === undefined ? {} : { ALPNProtocols: offered })
    expect(socket.alpnProtocol).toBe(chosen)
    socket.destroy()
  })

  test.each([
    { name: 'no protocol in common', options: { ALPNProtocols: ['spdy/3'] } },
    {
      name: 'a challenge that is not pending',
      options: { ALPNProtocols: ['acme-tls/1'], servername: 'b.example.net' },
    },
  ])('$name: no_application_protocol', async ({ options }) => {
    await expect(shakeHands(gate.url, options)).rejects.toThrow('no application protocol')
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', async (version) => {
    const socket = await shakeHands(gate.url, { minVersion: version, maxVersion: version })
    expect(socket.getProtocol()).toBe(version)
    socket.destroy()
  })

  test('TLS 1.1 is refused', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await expect(shakeHands(gate.url, old)).rejects.toThrow('protocol version')
  })

  test('renegotiation is refused', async () => {
    const socket = await shakeHands(gate.url, { maxVersion: 'TLSv1.2' })
    const refused = once(socket, 'error')
    socket.renegotiate({}, () => {})
    expect(String(await refused)).toContain('no renegotiation')
  })

  test('a session is resumed while its certificate is served, and not after that', async () => {
    const first = await shakeHands(gate.url, { maxVersion: 'TLSv1.2' })
    const session = first.getSession()
    first.destroy()
    const resume = async () => {
      const socket = await shakeHands(gate.url, { maxVersion: 'TLSv1.2', ...(session !== undefined && { session }) })
      const isReused = socket.isSessionReused()
      socket.destroy()
      return isReused
    }
    expect(await resume()).toBe(true)
    swap([{ ...main }, wildcard])
    expect(await resume()).toBe(true)
    swap([makeIdentity(['ai.example.org']), wildcard])
    expect(await resume()).toBe(false)
    swap([main, wildcard])
  })
})

describe('S23: a challenge of TLS-ALPN-01', () => {
  const acme = { ALPNProtocols: ['acme-tls/1'] }

  test('shows its certificate and closes, though HTTP is spoken', async () => {
    const socket = await shakeHands(gate.url, acme)
    expect(socket.alpnProtocol).toBe('acme-tls/1')
    expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(sha256(challenge.cert))
    let said = ''
    socket.on('data', (chunk) => {
      said += chunk
    })
    socket.on('error', () => {})
    socket.write('GET /healthz HTTP/1.1\r\nHost: ai.example.org\r\n\r\n')
    await once(socket, 'close')
    expect(said).toBe('')
  })

  test('is not shown to a client that offers anything else as well', async () => {
    const socket = await shakeHands(gate.url, { ALPNProtocols: ['acme-tls/1', 'http/1.1'] })
    expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(sha256(main.cert))
    socket.destroy()
  })
})

describe('S22: what comes in place of a ClientHello', () => {
  test('plain HTTP is told to use https', async () => {
    expect(await sendRaw(gate.url, 'GET / HTTP/1.1\r\nHost: ai.example.org\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 .*https/s,
    )
  })

  test.each([
    { name: 'nonsense', bytes: 'nonsense', answer: '' },
    { name: 'a PROXY header of a peer that is not trusted', bytes: 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n', answer: '' },
    { name: 'a record of another kind', bytes: '\x15\x03\x01\x00\x02\x02\x00', answer: '' },
    { name: 'a hello of 1 MiB', bytes: '\x16\x03\x01\x40\x00\x01\x10\x00\x00', answer: '\x15\x03\x01\x00\x02\x02\x32' },
  ])('$name ends the connection', async ({ bytes, answer }) => {
    expect(await sendRaw(gate.url, bytes)).toBe(answer)
  })
})

describe.each(HTTP)('a request over %s', (version) => {
  test('is answered', async () => {
    const { status, text } = await ask(version, chat('hello'))
    expect(status).toBe(200)
    expect(JSON.parse(text).choices[0].message.content).toBe('hello')
  })

  test.each([
    { name: 'no key', asking: { ...chat('x'), headers: { 'content-type': 'application/json' } }, status: 401 },
    { name: 'an unknown path', asking: { path: '/nothing' }, status: 404 },
    { name: 'a method that is not taken', asking: { method: 'DELETE', path: '/v1/chat/completions' }, status: 405 },
    { name: 'a body too large', asking: { ...CHAT, headers: AUTH, body: ' '.repeat(2 ** 21) }, status: 413 },
    { name: 'an expectation', asking: { ...chat('x'), headers: { ...AUTH, expect: 'nothing' } }, status: 417 },
  ])('$name: $status', async ({ asking, status }) => {
    expect((await ask(version, asking)).status).toBe(status)
  })

  test('odd headers of an upstream do not spoil the answer', async () => {
    const { status, text } = await ask(version, chat('odd'))
    expect([status, text]).toEqual([200, expect.stringContaining('odd')])
  })

  test('HEAD has an answer without a body', async () => {
    const { status, text } = await ask(version, { method: 'HEAD', path: '/healthz' })
    expect([status < 500, text]).toEqual([true, ''])
  })

  const hostOf = (host: string) => ({ headers: version === 'HTTP/2' ? { ':authority': host } : { host } })
  const policy = 'strict-transport-security'
  test.each([
    { host: 'ai.example.org', misdirected: false, has: true },
    { host: 'AI.example.org.:8443', misdirected: false, has: true },
    { host: '127.0.0.1', misdirected: false, has: false },
    { host: 'localhost', misdirected: false, has: false },
    { host: 'b.example.net', misdirected: true, has: false },
    { host: 'other.example.com', misdirected: true, has: false },
  ])('for $host: 421 $misdirected, $has a policy', async ({ host, misdirected, has }) => {
    const { status, headers } = await ask(version, { path: '/v1/models', ...hostOf(host) })
    expect(status === 421).toBe(misdirected)
    expect(headers[policy]).toBe(has ? 'max-age=3600' : undefined)
  })

  test('a stream that breaks off does not end like one that is whole', async () => {
    const answered = await ask(version, chat('break', true)).catch((error: Error) => error)
    if (!(answered instanceof Error)) expect(answered.text).toContain('error')
    expect(answered instanceof Error || !answered.text.includes('[DONE]')).toBe(true)
  })
})

describe('HTTP/2', () => {
  test('a Host that disagrees with :authority is refused', async () => {
    const { status, text } = await ask('HTTP/2', { path: '/v1/models', headers: { host: 'b.example.net' } })
    expect([status, text]).toEqual([400, expect.stringContaining('disagree')])
  })

  test('a body is asked for when all that is said about it is good', async () => {
    const session = await openHttp2(gate.url)
    const stream = begin2(session, { ...CHAT, headers: { ...AUTH, expect: '100-continue' } })
    await once(stream, 'continue')
    stream.end(chat('hello').body)
    expect((await answerOf(stream)).status).toBe(200)
    session.close()
  })

  test('a client that resets its stream lets the upstream go', async () => {
    const session = await openHttp2(gate.url)
    const stream = begin2(session, chat('hang', true))
    stream.on('error', () => {})
    stream.end(chat('hang', true).body)
    const known = upstream.seen.length
    await until(() => upstream.seen.length > known)
    stream.close(constants.NGHTTP2_CANCEL)
    await until(() => upstream.seen[known]?.aborted === true)
    session.close()
  })

  test('a body that stops coming is answered with 408', async () => {
    const session = await openHttp2(gate.url)
    const stream = begin2(session, { ...CHAT, headers: AUTH })
    stream.write('{')
    expect((await answerOf(stream)).status).toBe(408)
    session.close()
  })

  test('a body whose stream is reset half-way is not taken for whole', async () => {
    const session = await openHttp2(gate.url)
    const known = upstream.seen.length
    const stream = begin2(session, { ...CHAT, headers: AUTH })
    stream.on('error', () => {})
    stream.write(chat('hello').body)
    stream.close(constants.NGHTTP2_NO_ERROR)
    await once(stream, 'close')
    expect((await ask2(session, chat('next'))).status).toBe(200)
    expect(upstream.seen.length).toBe(known + 1)
    session.close()
  })

  test('a client that takes nothing of one stream is cut off there; its other streams go on', async () => {
    const session = await openHttp2(gate.url)
    const stalled = begin2(session, chat('x'.repeat(900_000)))
    const closed = once(stalled, 'close').catch(() => {})
    stalled.on('error', () => {})
    stalled.end(chat('x'.repeat(900_000)).body)
    await once(stalled, 'response')
    expect((await ask2(session, chat('other'))).status).toBe(200)
    await closed
    expect(stalled.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR)
    session.close()
  })

  test('headers of more than 16 KiB are refused, and the connection goes on', async () => {
    const session = await openHttp2(gate.url)
    const large = { headers: { ...AUTH, 'x-large': 'x'.repeat(20_000) } }
    const { status, text } = await ask2(session, large)
    expect([status, text]).toEqual([431, expect.stringContaining('larger than 16 KiB')])
    expect((await ask2(session, chat('after'))).status).toBe(200)
    session.close()
  })

  test('a client is told how many streams it may have at once', async () => {
    const session = await openHttp2(gate.url)
    expect(session.remoteSettings.maxConcurrentStreams).toBe(100)
    session.destroy()
  })

  test('CONNECT is not a proxy', async () => {
    const session = await openHttp2(gate.url)
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'example.com:443' })
    const [headers] = await once(stream, 'response')
    expect(headers[':status']).toBe(405)
    session.destroy()
  })
})

describe('R18: what costs a client nothing', () => {
  /** Frames as RFC 9113 section 4.1 writes them. */
  const frameOf = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head.writeUInt8(type, 3)
    head.writeUInt8(flags, 4)
    head.writeUInt32BE(stream, 5)
    return Buffer.concat([head, payload])
  }
  const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  // GET https://ai.example.org/, of the static table of HPACK and one literal
  const GET = Buffer.concat([Buffer.from([0x82, 0x84, 0x87, 0x41, 14]), Buffer.from('ai.example.org')])
  const resets = (count: number) =>
    Array.from({ length: count }, (_, i) => [
      frameOf(1, 0x5, 2 * i + 1, GET),
      frameOf(3, 0, 2 * i + 1, Buffer.from([0, 0, 0, 8])),
    ]).flat()
  const ping = frameOf(6, 0, 0, Buffer.alloc(8))
  const settings = frameOf(4, 0, 0, Buffer.alloc(0))

  test.each([
    { name: 'streams that are reset at once', frames: () => resets(2_000) },
    { name: 'pings', frames: () => Array.from({ length: 5_000 }, () => ping) },
    { name: 'settings', frames: () => Array.from({ length: 5_000 }, () => settings) },
    {
      name: 'headers without end',
      frames: () => [
        frameOf(1, 0x1, 1, GET),
        ...Array.from({ length: 2_000 }, () => frameOf(9, 0, 1, Buffer.alloc(1_000, 0x82))),
      ],
    },
  ])('$name: the connection ends, and others are served', async ({ frames }) => {
    const socket = await shakeHands(gate.url, { ALPNProtocols: ['h2'] })
    const closed = once(socket, 'close').catch(() => {})
    socket.on('error', () => {})
    socket.resume()
    socket.write(Buffer.concat([PREFACE, settings, ...frames()]))
    expect((await ask('HTTP/2', chat('other'))).status).toBe(200)
    await closed
    expect((await ask('HTTP/1.1', chat('after'))).status).toBe(200)
  })
})

describe('clients that are slow, or close one side', () => {
  test('headers that do not come: 408 over HTTP/1.1', async () => {
    const socket = await shakeHands(gate.url)
    let said = ''
    socket.on('data', (chunk) => {
      said += chunk
    })
    socket.write('GET / HTTP/1.1\r\nHost: ai')
    await once(socket, 'close')
    expect(said).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('a connection of HTTP/2 over which nothing comes is closed', async () => {
    const socket = await shakeHands(gate.url, { ALPNProtocols: ['h2'] })
    socket.resume()
    await once(socket, 'close')
  })

  test('a client of HTTP/1.1 that closes its side and waits has its answer', async () => {
    const { body = '', path } = chat('waiting')
    const socket = await shakeHands(gate.url)
    let said = ''
    socket.on('data', (chunk) => {
      said += chunk
    })
    socket.end(
      `POST ${path} HTTP/1.1\r\nHost: ai.example.org\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    )
    await once(socket, 'end')
    expect(said).toContain('waiting')
    socket.destroy()
  })

  test('a client that leaves in the middle of its handshake leaves nothing behind', async () => {
    const { hostname, port } = new URL(gate.url)
    for (const bytes of [1, 100, 200]) {
      const hello = Buffer.from(CLIENT_HELLO, 'base64').subarray(0, bytes)
      const socket = connect(Number(port), hostname)
      await once(socket, 'connect')
      socket.end(hello)
      await once(socket.resume(), 'close')
    }
  })
})

test('what is asked goes on while the daemon ends, and clients are told to connect anew', async () => {
  const { promise: may, resolve: go } = Promise.withResolvers<void>()
  const slow = await startFakeUpstream(async (_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'begun' }))
    await may
    response.end(frame({ content: 'ended' }, 'stop') + DONE)
  })
  const upstreams = { mock: { provider: 'custom', base_url: slow.url, api_key: 'key', models: ['mock'] } }
  const other = await startDataPlane({ upstreams }, { identities })
  await other.refresh()
  const session = await openHttp2(other.url)
  const leaving = once(session, 'goaway')
  const streams = [ask2(session, chat('x', true)), ask1(other.url, chat('x', true))]
  await until(() => slow.seen.length === streams.length)
  const drained = other.drain(new AbortController().signal)
  await leaving
  const late = ask1(other.url, chat('late', true)) // it has connected before anybody could tell it
  await until(() => slow.seen.length === streams.length + 1)
  go()
  for (const { text } of await Promise.all([...streams, late])) expect(text).toContain('[DONE]')
  await drained
  expect(session.closed).toBe(true)
  await other.stop()
  await slow.close()
})

test('a client that connects and says nothing is not waited for when the daemon ends', async () => {
  const other = await startDataPlane({}, { identities })
  const { hostname, port } = new URL(other.url)
  const silent = connect(Number(port), hostname)
  await once(silent, 'connect')
  const session = await openHttp2(other.url)
  await other.stop()
  session.destroy()
  silent.destroy()
})
