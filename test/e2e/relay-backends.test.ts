import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { relayStatus } from '../../schemas/admin-relay.ts'
import { readProxyHeader } from '../../wire/proxy-protocol.ts'
import { until } from '../support/daemon.ts'
import { makeIdentity } from '../support/identities.ts'
import { startNginx } from '../support/nginx.ts'
import { freePort, hasProgram } from '../support/programs.ts'
import { proxyV1 } from '../support/proxy-header.ts'
import { portOf } from '../support/relay.ts'
import { type Fleet, type RelayedDaemon, startFleet, startRelayedDaemon } from '../support/relayed-daemon.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { helloMaker, visit } from '../support/visitor.ts'

const VISITOR = '203.0.113.7'
/** Whom the relay believes about its visitors. */
const PROXY = '127.0.0.2'
const folder = temporaryDirectory()
const names = {
  nginx: 'photos.custom.test',
  nginxV1: 'photos1.custom.test',
  haproxy: 'files.custom.test',
  haproxyV1: 'files1.custom.test',
  plain: 'plain.custom.test',
  raw: 'raw.custom.test',
  gone: 'gone.custom.test',
}
const identity = makeIdentity(Object.values(names))
let fleet: Fleet
let gate: RelayedDaemon
let port: number
let rawConnections: Socket[]
const ends: (() => unknown)[] = []

/** Looks at its bytes, and serves none of its TLS. */
async function startRaw(): Promise<number> {
  rawConnections = []
  const server = createServer(
    { allowHalfOpen: true },
    (socket) => void rawConnections.push(socket.on('error', () => {})),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => server.close())
  return portOf(server)
}

async function startHaproxy(): Promise<number> {
  const at = await freePort()
  writeFileSync(folder.file('both.pem'), `${identity.cert}${identity.key}`)
  const body = 'lf-string "%[src] %[ssl_fc_sni]"'
  writeFileSync(
    folder.file('haproxy.cfg'),
    `defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend visitors
  bind 127.0.0.1:${at} accept-proxy ssl crt ${folder.file('both.pem')} alpn http/1.1
  http-request return status 200 content-type text/plain ${body}
`,
  )
  const child: ChildProcess = spawn('haproxy', ['-f', folder.file('haproxy.cfg'), '-db'], { stdio: 'ignore' })
  ends.push(() => child.kill())
  await until(() => isOpen(at))
  return at
}

async function startPhotos(): Promise<string> {
  writeFileSync(folder.file('cert.pem'), identity.cert)
  writeFileSync(folder.file('key.pem'), identity.key)
  const place = `unix:${folder.file('nginx.sock')}`
  const { stop } = await startNginx(
    `log_format visitors '$proxy_protocol_addr:$proxy_protocol_port $ssl_server_name $status';
server {
  listen ${place} ssl proxy_protocol;
  access_log ${folder.file('visitors.log')} visitors;
  ssl_certificate ${folder.file('cert.pem')};
  ssl_certificate_key ${folder.file('key.pem')};
  default_type text/plain;
  location / { return 200 "$proxy_protocol_addr $ssl_server_name"; }
}
`,
    folder.path,
  )
  ends.push(stop)
  return place
}

const isOpen = (at: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTcp(at, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** What a visitor from the Internet reads. */
async function ask(servername: string, from = VISITOR): Promise<string> {
  const raw = connectTcp({ port, host: '127.0.0.1', localAddress: PROXY })
  raw.write(proxyV1(from))
  const socket = connect({ socket: raw, servername, ca: identity.cert, ALPNProtocols: ['http/1.1'] })
  socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text.split('\r\n\r\n')[1]?.trim() ?? ''
}

const status = async () => {
  const headers = { authorization: `Bearer ${gate.key}` }
  return relayStatus.parse(await (await fetch(`${gate.url}/api/admin/relay`, { headers })).json())
}

beforeAll(async () => {
  fleet = await startFleet(1, { proxies: [PROXY] })
  port = fleet.relays[0]?.port ?? 0
  const local = (at: number | string) => (typeof at === 'string' ? at : `127.0.0.1:${at}`)
  const raw = await startRaw()
  const nginx = hasProgram('nginx') ? await startPhotos() : raw
  const haproxy = hasProgram('haproxy') ? await startHaproxy() : raw
  const backends = [
    { names: [names.nginx], address: local(nginx) },
    { names: [names.nginxV1], address: local(nginx), proxy_protocol: 'v1' },
    { names: [names.haproxy], address: local(haproxy) },
    { names: [names.haproxyV1], address: local(haproxy), proxy_protocol: 'v1' },
    { names: [names.raw], address: local(raw) },
    { names: [names.plain], address: local(raw), proxy_protocol: 'off' },
    { names: [names.gone], address: `unix:${folder.file('gone.sock')}` },
  ]
  gate = await startRelayedDaemon(fleet, { GATE_RELAY__BACKENDS: JSON.stringify(backends) })
  await until(() => fleet.relays[0]?.relay.status().some((node) => node.names.length === 1 + backends.length) === true)
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
  await fleet?.stop()
  for (const end of ends) await end()
  folder.remove()
})

test.runIf(hasProgram('nginx')).each([
  { version: 2, name: names.nginx },
  { version: 1, name: names.nginxV1 },
])('nginx is told who its visitor is, by version $version', async ({ name }) => {
  expect(await ask(name)).toBe(`${VISITOR} ${name}`)
  const line = `${VISITOR}:4711 ${name} 200\n`
  await until(() => readFileSync(folder.file('visitors.log'), 'utf8').includes(line))
})

test.runIf(hasProgram('haproxy')).each([
  { version: 2, name: names.haproxy },
  { version: 1, name: names.haproxyV1 },
])('HAProxy is told who its visitor is, by version $version', async ({ name }) => {
  expect(await ask(name)).toBe(`${VISITOR} ${name}`)
})

test.runIf(hasProgram('haproxy'))(
  'a visitor with a private address comes from nowhere, as far as a server sees',
  async () => {
    expect(await ask(names.haproxy, '192.168.1.7')).toBe(`0.0.0.0 ${names.haproxy}`)
    expect(await ask(names.haproxy, '2001:db8::7')).toBe(`2001:db8::7 ${names.haproxy}`)
  },
)

describe('a server of bytes', () => {
  let hello: (name: string | null) => Buffer
  let acme: (name: string | null) => Buffer
  beforeAll(async () => {
    hello = await helloMaker()
    acme = await helloMaker(['acme-tls/1'])
  })

  const visitor = (name: string, first = hello(name)) =>
    visit(port, Buffer.concat([Buffer.from(proxyV1(VISITOR)), first]), { from: PROXY })
  /** The connection that a visitor has led to, and the bytes that have come over it. */
  async function arrived() {
    await until(() => rawConnections.length > 0)
    const socket = rawConnections.shift()
    if (socket === undefined) throw new Error('one has come')
    let bytes = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
    })
    return { socket, bytes: () => bytes }
  }

  test.each([
    { name: 'a ClientHello', first: () => hello(names.raw) },
    { name: 'a validation of ACME', first: () => acme(names.raw) },
  ])('gets $name as it came, after the header, and each side’s end', async ({ first }) => {
    const { socket, receive, ended, closed } = await visitor(names.raw, first())
    const server = await arrived()
    await until(() => server.bytes().length > 100)
    const reading = readProxyHeader(server.bytes())
    expect(reading).toMatchObject({ kind: 'proxied', peer: VISITOR, port: 4_711 })
    const at = reading.kind === 'proxied' ? reading.bytes : 0
    await until(() => server.bytes().length === at + first().length)
    expect(server.bytes().subarray(at).equals(first())).toBe(true)
    socket.end('last words')
    await once(server.socket, 'end')
    expect(
      server
        .bytes()
        .subarray(at + first().length)
        .toString(),
    ).toBe('last words')
    server.socket.end('an answer')
    expect((await receive(9)).toString()).toBe('an answer')
    await ended
    expect(await closed).toBe('closed')
  })

  test('without a header gets the bytes of the visitor alone', async () => {
    const { socket } = await visitor(names.plain)
    const server = await arrived()
    await until(() => server.bytes().length === hello(names.plain).length)
    expect(server.bytes().equals(hello(names.plain))).toBe(true)
    socket.destroy()
    await once(server.socket, 'end')
    server.socket.destroy()
  })

  test('that resets its connection has reset the visitor’s', async () => {
    const { closed } = await visitor(names.raw)
    const server = await arrived()
    await until(() => server.bytes().length > 100)
    server.socket.resetAndDestroy()
    expect(await closed).toBe('reset')
  })

  test('learns of a visitor that resets its connection', async () => {
    const { socket } = await visitor(names.raw)
    const server = await arrived()
    await until(() => server.bytes().length > 100)
    const failed = once(server.socket, 'error')
    socket.resetAndDestroy()
    expect(String(await failed)).toContain('ECONNRESET')
  })
})

test('a server that is not there is told of, and its visitors are refused', async () => {
  await expect(ask(names.gone)).rejects.toThrow()
  await until(() => gate.output().includes('a backend of relayed names does not answer'))
  const { names: all, backends, refused } = await status()
  expect(refused).toEqual([])
  expect(backends.filter(({ error }) => error !== undefined).map((one) => one.names)).toEqual([[names.gone]])
  expect(all.find(({ name }) => name === names.gone)?.backend).toBe(`unix:${folder.file('gone.sock')}`)
  expect(all[0]).toEqual({ name: gate.host })
})
