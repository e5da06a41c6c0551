import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AMBIGUOUS_REQUESTS } from '../support/ambiguous-requests.ts'
import { until } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import { startNginx } from '../support/nginx.ts'
import { freePort, hasProgram } from '../support/programs.ts'
import { sendRaw } from '../support/raw-http.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { startTlsDaemon, type TlsDaemon } from '../support/tls-daemon.ts'

let gate: TlsDaemon
beforeAll(async () => {
  gate = await startTlsDaemon({
    GATE_SERVER__TRUSTED_PROXIES: '["127.0.0.1"]',
    GATE_SERVER__HEADERS_TIMEOUT: '2s',
  })
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
})

const NEXT = 'GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'

test.each(AMBIGUOUS_REQUESTS)('over TLS, too, $name is refused and the connection closed', async ({ bytes }) => {
  const answer = await sendRaw(gate.https, `${bytes(gate.key)}${NEXT}`, { isSecure: true })
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
})

test('plain HTTP on the port for TLS is not answered with anything of the gateway', async () => {
  const plain = gate.https.replace('https:', 'http:')
  expect(await sendRaw(plain, 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')).not.toContain('200')
})

const SLOW = sampled(100, 1_000)

test(`${SLOW} slow clients over TLS do not keep others from being served, and all are closed`, async () => {
  const { hostname, port } = new URL(gate.https)
  let closed = 0
  const sockets = Array.from({ length: SLOW }, () => {
    const options = { servername: 'localhost', rejectUnauthorized: false }
    const socket = connect(Number(port), hostname, options, () =>
      socket.write('POST /v1/chat/completions HTTP/1.1\r\n'),
    )
    socket.on('close', () => {
      closed += 1
    })
    socket.on('error', () => {})
    socket.resume()
    return socket
  })
  while (closed < sockets.length) {
    const answer = await sendRaw(gate.https, 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', {
      isSecure: true,
    })
    expect(answer).toContain('200 OK')
  }
})

const PROXIES = [
  {
    engine: 'haproxy',
    start: async (port: number, to: string, folder: string) => {
      const timeouts = ['connect', 'client', 'server'].map((name) => `  timeout ${name} 5s\n`).join('')
      const server = `server gate ${to} ssl verify none alpn http/1.1`
      const http = `defaults\n  mode http\n  option forwardfor\n  http-reuse always\n${timeouts}`
      writeFileSync(`${folder}/haproxy.cfg`, `${http}listen gateway\n  bind 127.0.0.1:${port}\n  ${server}\n`)
      const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` }
      const child = spawn('haproxy', ['-db', '-q', '-f', `${folder}/haproxy.cfg`], { stdio: 'ignore', env })
      const exited = once(child, 'exit')
      return {
        stop: async () => {
          child.kill('SIGTERM')
          await exited
        },
      }
    },
  },
  {
    engine: 'nginx',
    start: (port: number, to: string, folder: string) => {
      const proxy = `proxy_pass https://gateway; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;`
      const upstream = `upstream gateway { server ${to}; keepalive 4; }`
      return startNginx(`${upstream} server { listen 127.0.0.1:${port}; location / { ${proxy} } }`, folder)
    },
  },
] as const

describe.each(PROXIES)('behind $engine', ({ engine, start }) => {
  const directory = temporaryDirectory()
  let url = ''
  let proxy: { stop: () => Promise<void> }
  beforeAll(async () => {
    if (!hasProgram(engine)) return
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    proxy = await start(port, new URL(gate.https).host, directory.path)
    await until(async () => (await ofAnother().catch(() => '')).includes('200 OK'))
  })
  afterAll(async () => {
    await proxy?.stop()
    directory.remove()
  })

  /** What another client gets, over the connections that the proxy keeps to the gateway. */
  const ofAnother = () => sendRaw(url, 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')

  test.skipIf(!hasProgram(engine)).each(AMBIGUOUS_REQUESTS)(
    'what follows $name is not taken for the request of another client',
    async ({ bytes }) => {
      await sendRaw(url, `${bytes(gate.key)}GET /v1/smuggled HTTP/1.1\r\nX-A: `, { enough: '\r\n\r\n' })
      for (let asked = 0; asked < 2; asked += 1) expect(await ofAnother()).toMatch(/^HTTP\/1\.[01] 200 OK/)
    },
  )
})
