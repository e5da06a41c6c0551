import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { freePort, hasProgram } from '../support/programs.ts'
import { ipv4Addresses, ipv6Addresses, proxyV1, proxyV2 } from '../support/proxy-header.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { startTlsDaemon, type TlsDaemon } from '../support/tls-daemon.ts'

/** Allowed, listed as a proxy, and neither. */
const [CLIENT, PROXY, OTHER] = ['192.0.2.7', '127.0.0.1', '127.0.0.2']
/** `server.max_connections_per_address` by default. */
const PER_ADDRESS = 256
const STRANGER = '203.0.113.9'

let gate: TlsDaemon
beforeAll(async () => {
  gate = await startTlsDaemon({
    GATE_SERVER__PROXY_PROTOCOL: 'true',
    GATE_SERVER__TRUSTED_PROXIES: JSON.stringify([PROXY]),
    GATE_SERVER__ALLOW_FROM: JSON.stringify(['192.0.2.0/24', '2001:db8::/32', OTHER]),
    GATE_SERVER__HEADERS_TIMEOUT: '2s',
  })
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
})

type Said = { readonly from?: string; readonly header: readonly (string | Buffer)[]; readonly more?: string }

/**
 * Connects from an address of the loopback, says the parts of a header, each in a packet of its own, and then asks.
 * @param tls over TLS, which begins after the header
 * @returns the status; null when the connection is ended without one
 */
async function ask(url: string, { from = PROXY, header, more = '' }: Said, tls: boolean): Promise<number | null> {
  const { hostname, port } = new URL(url)
  const request = `GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${gate.key}\r\n${more}Connection: close\r\n\r\n`
  const socket = connect({ host: hostname, port: Number(port), localAddress: from, noDelay: true })
  let text = ''
  const listen = (stream: NodeJS.ReadableStream) =>
    stream
      .on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
      })
      .on('error', () => {})
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))
  for (const part of header) {
    socket.write(part)
    await new Promise(setImmediate)
  }
  if (tls) {
    const secure = connectTls({ socket, servername: 'localhost', rejectUnauthorized: false }, () =>
      secure.write(request),
    )
    listen(secure)
  } else {
    listen(socket)
    socket.write(request)
  }
  await closed
  const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1]
  return status === undefined ? null : Number(status)
}

const bytewise = (header: string | Buffer) => Array.from(Buffer.from(header), (byte) => Buffer.of(byte))

describe.each([
  { over: 'TCP', tls: false },
  { over: 'TLS', tls: true },
])('over $over', ({ tls }) => {
  const url = () => (tls ? gate.https : gate.url)

  test('a client that connects without end is refused, and another has its answer', async () => {
    const { hostname, port } = new URL(url())
    const flooder = tls ? '192.0.2.66' : '192.0.2.67'
    let refused = 0
    const sockets = Array.from({ length: PER_ADDRESS + 50 }, () => {
      const socket = connect({ host: hostname, port: Number(port), localAddress: PROXY })
      socket.on('error', () => {})
      socket.once('close', () => {
        refused += 1
      })
      socket.write(proxyV1(flooder))
      return socket
    })
    await until(() => refused >= 50)
    expect(await ask(url(), { header: [proxyV1(CLIENT)] }, tls)).toBe(200)
    expect(gate.output()).toContain('server.max_connections_per_address is reached')
    for (const socket of sockets) socket.destroy()
  })

  test.each([
    { name: 'version 1, IPv4', header: [proxyV1(CLIENT)], status: 200 },
    { name: 'version 1, IPv6', header: [proxyV1('2001:db8::7')], status: 200 },
    { name: 'version 1, a stranger', header: [proxyV1(STRANGER)], status: 403 },
    { name: 'version 1, byte by byte', header: bytewise(proxyV1(CLIENT)), status: 200 },
    { name: 'version 1, unknown', header: ['PROXY UNKNOWN\r\n'], status: 403 },
    { name: 'version 1, unknown with addresses', header: ['PROXY UNKNOWN 192.0.2.7 192.0.2.1 1 2\r\n'], status: 403 },
    { name: 'version 2, IPv4', header: [proxyV2(ipv4Addresses(CLIENT))], status: 200 },
    { name: 'version 2, IPv6', header: [proxyV2(ipv6Addresses(7), { family: 'ipv6' })], status: 200 },
    { name: 'version 2, a stranger', header: [proxyV2(ipv4Addresses(STRANGER))], status: 403 },
    { name: 'version 2, byte by byte', header: bytewise(proxyV2(ipv4Addresses(CLIENT))), status: 200 },
    {
      name: 'version 2, more after the addresses',
      header: [proxyV2(ipv4Addresses(CLIENT), { more: Buffer.of(1, 0, 2, 0x68, 0x32) })],
      status: 200,
    },
    { name: 'version 2, of the proxy itself', header: [proxyV2(Buffer.of(), { command: 0 })], status: 403 },
    {
      name: 'version 2, of the proxy itself, with addresses',
      header: [proxyV2(ipv4Addresses(CLIENT), { command: 0 })],
      status: 403,
    },
    { name: 'version 2, a Unix socket', header: [proxyV2(Buffer.alloc(216), { family: 'unix' })], status: 403 },
  ])('believes a listed proxy: $name is $status', async ({ header, status }) => {
    expect(await ask(url(), { header }, tls)).toBe(status)
  })

  test('whom a proxy speaks for is no proxy: X-Forwarded-For of the client counts for nothing', async () => {
    expect(await ask(url(), { header: [proxyV1(STRANGER)], more: `X-Forwarded-For: ${CLIENT}\r\n` }, tls)).toBe(403)
    expect(await ask(url(), { header: [proxyV1(CLIENT)], more: `X-Forwarded-For: ${STRANGER}\r\n` }, tls)).toBe(200)
  })

  test.each([
    { name: 'none', header: [] },
    { name: 'one that ends in LF', header: [proxyV1(CLIENT).replace('\r', '')] },
    { name: 'one in lower case', header: [proxyV1(CLIENT).toLowerCase()] },
    { name: 'two spaces', header: [proxyV1(CLIENT).replace(' ', '  ')] },
    { name: 'a number above 255', header: [proxyV1('192.0.2.256').replace('TCP6', 'TCP4')] },
    { name: 'an IPv6 address as TCP4', header: [proxyV1('2001:db8::7').replace('TCP6', 'TCP4')] },
    { name: 'an address with a zone', header: [proxyV1('2001:db8::7%lo')] },
    { name: 'an address that begins with zero', header: [proxyV1('192.0.02.7').replace('TCP6', 'TCP4')] },
    { name: 'a port above 65535', header: [proxyV1(CLIENT, 65_536)] },
    { name: 'a port that is no number', header: [proxyV1(CLIENT).replace('4711', '0x12')] },
    { name: 'one of more than 107 bytes', header: [`PROXY TCP4 ${' '.repeat(200)}\r\n`] },
    { name: 'version 2 of another version', header: [proxyV2(ipv4Addresses(CLIENT), { version: 3 })] },
    { name: 'version 2 with an unknown command', header: [proxyV2(ipv4Addresses(CLIENT), { command: 2 })] },
    { name: 'version 2 that is too short for its family', header: [proxyV2(Buffer.of(192, 0, 2, 7))] },
    {
      name: 'version 2 that says it is 60,000 bytes long',
      header: [proxyV2(ipv4Addresses(CLIENT), { length: 60_000 }), Buffer.alloc(59_988)],
    },
  ])('a listed proxy with a wrong header, $name, is ended', async ({ header }) => {
    expect([null, 400]).toContain(await ask(url(), { header }, tls))
  })

  test('a second header is not one', async () => {
    expect([null, 400]).toContain(await ask(url(), { header: [proxyV1(CLIENT), proxyV1(CLIENT)] }, tls))
  })

  test.each([
    { name: 'version 1', header: [proxyV1(CLIENT)] },
    { name: 'version 2', header: [proxyV2(ipv4Addresses(CLIENT))] },
  ])('from another address $name is not a header', async ({ header }) => {
    expect([null, 400]).toContain(await ask(url(), { from: OTHER, header }, tls))
  })

  test('another address needs none, and is not believed about whom it speaks for', async () => {
    expect(await ask(url(), { from: OTHER, header: [] }, tls)).toBe(200)
    expect(await ask(url(), { from: OTHER, header: [], more: `X-Forwarded-For: ${STRANGER}\r\n` }, tls)).toBe(200)
    expect(await ask(url(), { from: '127.0.0.3', header: [], more: `X-Forwarded-For: ${CLIENT}\r\n` }, tls)).toBe(403)
  })

  // five seconds each
  test.skipIf(!isLong).each([{ header: '' }, { header: 'PROXY TCP4 192' }, { header: '\r\n\r\n\0' }])(
    'a proxy that says only $header is ended in time',
    async ({ header }) => {
      const { hostname, port } = new URL(url())
      const socket = connect(Number(port), hostname, () => socket.write(header))
      socket.on('error', () => {})
      socket.resume()
      await once(socket, 'close')
    },
  )
})

describe.skipIf(!hasProgram('haproxy'))('behind HAProxy', () => {
  const directory = temporaryDirectory()
  afterAll(() => directory.remove())

  test.each(['send-proxy', 'send-proxy-v2'])('%s says who connects', async (words) => {
    const port = await freePort()
    const to = new URL(gate.https).host
    const timeouts = ['connect', 'client', 'server'].map((name) => `  timeout ${name} 5s\n`).join('')
    const config = `defaults\n  mode tcp\n${timeouts}listen tls\n  bind 127.0.0.1:${port}\n  server gate ${to} ${words}\n`
    writeFileSync(directory.file('haproxy.cfg'), config)
    const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` }
    const child = spawn('haproxy', ['-db', '-q', '-f', directory.file('haproxy.cfg')], { stdio: 'inherit', env })
    const exited = once(child, 'exit')
    try {
      const from = (address: string) => ask(`https://127.0.0.1:${port}`, { from: address, header: [] }, true)
      await until(async () => (await from(OTHER)) === 200)
      expect(await from('127.0.0.3')).toBe(403)
    } finally {
      child.kill('SIGTERM')
      await exited
    }
  })
})
