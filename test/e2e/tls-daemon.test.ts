import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { renameSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Identity } from '../../daemon/listener/identities.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { makeIdentity } from '../support/identities.ts'
import { sendRaw } from '../support/raw-http.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { ask1, ask2, openHttp2, shakeHands, TRUSTING } from '../support/tls-clients.ts'

// The daemon as a process, with certificates in files, and a proxy that speaks the PROXY protocol.

const folder = temporaryDirectory()
const first = makeIdentity(['ai.example.org'])
const second = makeIdentity(['ai.example.org'])
const fingerprint = ({ cert }: Identity) => new X509Certificate(cert).fingerprint256

function writeFiles({ cert, key }: Identity): void {
  folder.write('new-key.pem', key)
  folder.write('new-cert.pem', cert)
  renameSync(folder.file('new-key.pem'), folder.file('key.pem'))
  renameSync(folder.file('new-cert.pem'), folder.file('cert.pem'))
}

const FILES = {
  GATE_TLS__FILES__CERT: folder.file('cert.pem'),
  GATE_TLS__FILES__KEY: folder.file('key.pem'),
  GATE_TLS__HOST: '127.0.0.1',
  GATE_TLS__HTTPS_PORT: '0',
  GATE_TLS__HTTP_PORT: '0',
}
/** The URLs that it says it listens on: the gateway's, that of TLS, that of redirects. */
const urlsOf = ({ output }: Daemon) =>
  Array.from(output().matchAll(/"listening","url":"([^"]+)"/g), ([, url = '']) => url)

let gate: Daemon
let https = ''
let http = ''
beforeAll(async () => {
  writeFiles(first)
  gate = await startDaemon(FILES)
  ;[, https = '', http = ''] = urlsOf(gate)
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
  folder.remove()
})

const shown = async () => {
  const socket = await shakeHands(https)
  const certificate = socket.getPeerX509Certificate()
  socket.destroy()
  return certificate?.fingerprint256
}

test('answers over TLS, and sends plain HTTP there', async () => {
  const models = { path: '/v1/models', headers: { authorization: `Bearer ${gate.key}` } }
  expect((await ask1(https, models)).status).toBe(200)
  const session = await openHttp2(https)
  expect((await ask2(session, models)).status).toBe(200)
  session.close()
  const said = await sendRaw(http, 'GET /v1/models HTTP/1.1\r\nHost: ai.example.org\r\nConnection: close\r\n\r\n')
  expect(said).toContain(`location: https://ai.example.org:${new URL(https).port}/v1/models\r\n`)
  expect(await sendRaw(http, 'GET / HTTP/1.1\r\nHost: evil.example.com\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 /)
})

test('new files are served to new connections, while those before go on', async () => {
  const session = await openHttp2(https)
  writeFiles(second)
  await until(async () => (await shown()) === fingerprint(second))
  expect((await ask2(session, { path: '/v1/models' })).status).toBe(401)
  session.close()
})

test('a header of a trusted proxy says who the client is; without one the proxy is refused', async () => {
  const trusting = await startDaemon({
    ...FILES,
    GATE_SERVER__PROXY_PROTOCOL: 'true',
    GATE_SERVER__TRUSTED_PROXIES: '["127.0.0.1"]',
    GATE_SERVER__ALLOW_FROM: '["203.0.113.0/24"]',
  })
  const [, url = ''] = urlsOf(trusting)
  const through = async (header: string) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.write(header)
    const secure = connectTls({ socket, ...TRUSTING })
    await once(secure, 'secureConnect')
    secure.write('GET /v1/models HTTP/1.1\r\nHost: ai.example.org\r\nConnection: close\r\n\r\n')
    let said = ''
    secure.on('data', (chunk) => {
      said += chunk
    })
    await once(secure, 'close')
    return said
  }
  expect(await through('PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n')).toMatch(/^HTTP\/1\.1 401 /)
  expect(await through('PROXY TCP4 198.51.100.9 192.0.2.1 4711 443\r\n')).toMatch(/^HTTP\/1\.1 403 /)
  await expect(through('')).rejects.toThrow()
  expect(trusting.output()).toContain('"client":"203.0.113.9"')
  await trusting.stop()
  trusting.remove()
})

test('a port that cannot be had is named, with its key', async () => {
  const { port } = new URL(https)
  await expect(startDaemon({ ...FILES, GATE_TLS__HTTPS_PORT: port })).rejects.toThrow(/EADDRINUSE.*set tls.https_port/)
})
