// S21: who a client is, is said by its connection, or by a proxy that is listed; never by the client itself.
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { throwAwayCertificate } from '../support/certificate.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { someOf } from '../support/effort.ts'
import { completion, type FakeUpstream, sendJson, startFakeUpstream } from '../support/fake-upstream.ts'
import { startNginx } from '../support/nginx.ts'
import { freePort, hasProgram } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const NAME = 'ai.example.org'
const KEY = 'gate_identity-headers-0123456789'
/** The only client that may use the gateway; it is not on this host. */
const ALLOWED = '203.0.113.9'
/** Addresses of the loopback that connections come from. */
const [STRANGER, PROXY] = ['127.0.0.1', '127.0.0.2']

/** What programs believe somewhere, as a client would forge it. */
const CLAIMS: Readonly<Record<string, string>> = {
  forwarded: `for=${ALLOWED};proto=https;host=${NAME}`,
  'x-real-ip': ALLOWED,
  'x-client-ip': ALLOWED,
  'true-client-ip': ALLOWED,
  'cf-connecting-ip': ALLOWED,
  'x-original-forwarded-for': ALLOWED,
  'x-forwarded-host': 'else.example.org',
  'x-forwarded-proto': 'https',
  'x-forwarded-port': '443',
  'x-forwarded-user': 'root',
  'x-remote-user': 'root',
  'remote-user': 'root',
  'x-webauth-user': 'root',
  'tailscale-user-login': 'root@example.org',
  'x-ssl-client-verify': 'SUCCESS',
}
const FORGED = { 'x-forwarded-for': ALLOWED, ...CLAIMS }

const BODY = JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'hello' }] })

type Asking = {
  readonly from: string
  readonly headers?: Readonly<Record<string, string>>
  /** Goes before everything else on the connection. */
  readonly first?: string | Buffer
}

/** @returns the status; `cut` for a connection that ends without an answer */
type Ask = (port: number, asking: Asking) => Promise<number | 'cut'>

async function tcp(port: number, { from, first }: Asking) {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from })
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (first !== undefined) socket.write(first)
  return socket
}

async function shaken(port: number, asking: Asking, alpn: string): Promise<TLSSocket | undefined> {
  const below = await tcp(port, asking)
  const socket = connectTls({ socket: below, servername: NAME, rejectUnauthorized: false, ALPNProtocols: [alpn] })
  socket.on('error', () => {})
  const closed = once(below, 'close')
  const done = await Promise.race([
    once(socket, 'secureConnect').then(
      () => true,
      () => false,
    ),
    closed.then(() => false),
  ])
  return done ? socket : undefined
}

function http1(headers: Readonly<Record<string, string>>): string {
  const all = { host: NAME, authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST /v1/chat/completions HTTP/1.1\r\n${lines.join('')}content-length: ${BODY.length}\r\nconnection: close\r\n\r\n${BODY}`
}

const statusIn = (answer: string): number | 'cut' => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]) || 'cut'

const OVER: Readonly<Record<string, Ask>> = {
  HTTP: async (port, asking) => {
    const socket = await tcp(port, asking)
    socket.write(http1(asking.headers ?? {}))
    return statusIn(await text(socket).catch(() => ''))
  },
  'HTTPS, HTTP/1.1': async (port, asking) => {
    const socket = await shaken(port, asking, 'http/1.1')
    if (socket === undefined) return 'cut'
    socket.write(http1(asking.headers ?? {}))
    return statusIn(await text(socket).catch(() => ''))
  },
  'HTTPS, HTTP/2': async (port, asking) => {
    const socket = await shaken(port, asking, 'h2')
    if (socket === undefined) return 'cut'
    const session = connectHttp2(`https://${NAME}`, { createConnection: () => socket })
    session.on('error', () => {})
    const pseudo = { ':method': 'POST', ':path': '/v1/chat/completions', ':authority': NAME }
    const stream = session.request({
      ...pseudo,
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      ...asking.headers,
    })
    stream.on('error', () => {})
    stream.end(BODY)
    const [{ ':status': status }] = (await once(stream, 'response')) as [{ ':status'?: number }]
    session.destroy()
    return status ?? 'cut'
  },
}

const directory = temporaryDirectory()
let upstream: FakeUpstream
const running: Daemon[] = []

/** @returns the ports of plain HTTP and HTTPS */
async function start(more: Readonly<Record<string, string>>): Promise<{ HTTP: number; HTTPS: number }> {
  const daemon = await startDaemon({
    GATE_AUTH__TOKEN: KEY,
    GATE_TLS__HOST: '127.0.0.1',
    GATE_TLS__HTTPS_PORT: '0',
    GATE_TLS__FILES__CERT: directory.file('cert.pem'),
    GATE_TLS__FILES__KEY: directory.file('key.pem'),
    GATE_SERVER__ALLOW_FROM: `${ALLOWED}/32`,
    GATE_UPSTREAMS__MOCK__PROVIDER: 'custom',
    GATE_UPSTREAMS__MOCK__BASE_URL: upstream.url,
    GATE_UPSTREAMS__MOCK__MODELS: 'mock',
    ...more,
  })
  running.push(daemon)
  const https = /"url":"https:\/\/[^"]*:(\d+)"/.exec(daemon.output())?.[1]
  return { HTTP: Number(new URL(daemon.url).port), HTTPS: Number(https) }
}
const portOf = (ports: { HTTP: number; HTTPS: number }, over: string) => (over === 'HTTP' ? ports.HTTP : ports.HTTPS)

beforeAll(async () => {
  throwAwayCertificate(directory.path, [NAME])
  upstream = await startFakeUpstream((_, response) => sendJson(response, 200, completion('hello')))
})
afterAll(async () => {
  for (const daemon of running) {
    await daemon.stop()
    daemon.remove()
  }
  await upstream?.close()
  directory.remove()
})

const rows = someOf(Object.entries(OVER), 3).map(([over, ask]) => ({ over, ask }))

describe('a proxy is listed', () => {
  let ports: { HTTP: number; HTTPS: number }
  beforeAll(async () => {
    ports = await start({ GATE_SERVER__TRUSTED_PROXIES: `${PROXY}/32` })
  })

  test.each(
    rows.flatMap(({ over, ask }) => [
      { over, ask, who: 'a stranger', asking: { from: STRANGER }, status: 403 },
      { over, ask, who: 'a stranger who claims anything', asking: { from: STRANGER, headers: FORGED }, status: 403 },
      { over, ask, who: 'the proxy, for no client', asking: { from: PROXY }, status: 403 },
      { over, ask, who: 'the proxy, with what it passed on', asking: { from: PROXY, headers: CLAIMS }, status: 403 },
      {
        over,
        ask,
        who: 'the proxy, for the client that may',
        asking: { from: PROXY, headers: { 'x-forwarded-for': ALLOWED } },
        status: 200,
      },
      {
        over,
        ask,
        who: 'the proxy, for a client who claims to be another',
        asking: { from: PROXY, headers: { 'x-forwarded-for': `${ALLOWED}, 198.51.100.7` } },
        status: 403,
      },
      {
        over,
        ask,
        who: 'the proxy, which names no address',
        asking: { from: PROXY, headers: { 'x-forwarded-for': `${ALLOWED}, unknown` } },
        status: 403,
      },
      {
        over,
        ask,
        who: 'a stranger with a PROXY header',
        asking: { from: STRANGER, first: `PROXY TCP4 ${ALLOWED} 127.0.0.1 4711 443\r\n` },
        status: over === 'HTTP' ? 400 : 'cut',
      },
    ]),
  )('$over: $who gets $status', async ({ over, ask, asking, status }) => {
    expect(await ask(portOf(ports, over), asking)).toBe(status)
  })

  test.each(rows)('$over: nothing that says who a client is reaches an upstream', async ({ over, ask }) => {
    const before = upstream.seen.length
    expect(await ask(portOf(ports, over), { from: PROXY, headers: FORGED })).toBe(200)
    const headers = upstream.seen[before]?.headers ?? {}
    expect(Object.keys(FORGED).filter((name) => name in headers)).toEqual([])
    expect(JSON.stringify(headers)).not.toContain(ALLOWED)
  })
})

describe('no proxy is listed', () => {
  let ports: { HTTP: number; HTTPS: number }
  beforeAll(async () => {
    ports = await start({})
  })

  test.each(rows)('$over: no address is believed', async ({ over, ask }) => {
    for (const from of [STRANGER, PROXY]) expect(await ask(portOf(ports, over), { from, headers: FORGED })).toBe(403)
  })
})

describe('a proxy that sends PROXY headers', () => {
  let ports: { HTTP: number; HTTPS: number }
  beforeAll(async () => {
    ports = await start({ GATE_SERVER__TRUSTED_PROXIES: `${PROXY}/32`, GATE_SERVER__PROXY_PROTOCOL: 'true' })
  })

  /** Version 2, TCP over IPv4. */
  const v2 = (source: string) =>
    Buffer.concat([
      Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex'),
      Buffer.from([...source.split('.').map(Number), 127, 0, 0, 1, 0x12, 0x67, 1, 0xbb]),
    ])
  const v1 = (source: string) => `PROXY TCP4 ${source} 127.0.0.1 4711 443\r\n`

  test.each(
    rows.flatMap(({ over, ask }) => [
      { over, ask, who: 'the client that may, version 1', asking: { from: PROXY, first: v1(ALLOWED) }, status: 200 },
      { over, ask, who: 'the client that may, version 2', asking: { from: PROXY, first: v2(ALLOWED) }, status: 200 },
      { over, ask, who: 'another client', asking: { from: PROXY, first: v1('198.51.100.7') }, status: 403 },
      {
        over,
        ask,
        who: 'another client who claims anything',
        asking: { from: PROXY, first: v2('198.51.100.7'), headers: FORGED },
        status: 403,
      },
      { over, ask, who: 'the proxy without a header', asking: { from: PROXY, headers: FORGED }, status: 'cut' },
      {
        over,
        ask,
        who: 'a stranger who sends one',
        asking: { from: STRANGER, first: v1(ALLOWED) },
        status: over === 'HTTP' ? 400 : 'cut',
      },
      { over, ask, who: 'a stranger who claims anything', asking: { from: STRANGER, headers: FORGED }, status: 403 },
    ]),
  )('$over: $who gets $status', async ({ over, ask, asking, status }) => {
    expect(await ask(portOf(ports, over), asking)).toBe(status)
  })
})

describe.skipIf(!hasProgram('nginx'))('nginx in front (needs nginx)', () => {
  let nginx: { stop: () => Promise<void> }
  let port = 0
  beforeAll(async () => {
    const ports = await start({ GATE_SERVER__TRUSTED_PROXIES: `${PROXY}/32`, GATE_SERVER__ALLOW_FROM: '127.0.0.3/32' })
    port = await freePort()
    const files = `ssl_certificate ${directory.file('cert.pem')}; ssl_certificate_key ${directory.file('key.pem')};`
    const passed = `proxy_pass http://127.0.0.1:${ports.HTTP}; proxy_bind ${PROXY}; proxy_set_header Host $host;`
    // as most examples have it: what the client sent stays in front of its address
    const named = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;'
    nginx = await startNginx(
      `server { listen 127.0.0.1:${port} ssl; ${files} location / { ${passed} ${named} } }\n`,
      directory.path,
    )
    const answers = () => OVER['HTTPS, HTTP/1.1']?.(port, { from: STRANGER }) ?? Promise.resolve('cut' as const)
    await until(() =>
      answers().then(
        (status) => status === 403,
        () => false,
      ),
    )
  })
  afterAll(() => nginx?.stop())

  test.each([
    { who: 'the client that may', from: '127.0.0.3', headers: {}, status: 200 },
    { who: 'another', from: STRANGER, headers: {}, status: 403 },
    {
      who: 'another who claims to be the first',
      from: STRANGER,
      headers: { ...CLAIMS, 'x-forwarded-for': '127.0.0.3' },
      status: 403,
    },
    {
      who: 'another who claims to be the proxy',
      from: STRANGER,
      headers: { 'x-forwarded-for': `127.0.0.3, ${PROXY}` },
      status: 403,
    },
  ])('$who gets $status', async ({ from, headers, status }) => {
    expect(await OVER['HTTPS, HTTP/1.1']?.(port, { from, headers })).toBe(status)
  })
})
