import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import { startCaddy } from '../support/caddy.ts'
import { throwAwayCertificate } from '../support/certificate.ts'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { startNginx } from '../support/nginx.ts'
import { freePort, hasProgram } from '../support/programs.ts'
import { ask, converse, open } from '../support/proxied-client.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { type Echo, startWebUpstream, type WebUpstream } from '../support/web-upstream.ts'

// Caddy says 502 when it sees first that the gateway lacks the rest of the body
const PROXIES = [
  { engine: 'nginx', file: 'nginx/gate.conf', start: startNginx, tooLarge: [413] },
  { engine: 'caddy', file: 'caddy/Caddyfile', start: startCaddy, tooLarge: [413, 502] },
] as const

const IMAGE = `ghcr.io/open-webui/open-webui@sha256:${'7'.repeat(64)}`
const NAME = 'ai.home.arpa'
const APP = 'webui.ai.home.arpa'

describe.each(PROXIES)('$engine (needs $engine, openssl)', ({ engine, file, start, tooLarge }) => {
  const directory = temporaryDirectory()
  const gatewaySocket = directory.file('gateway.sock')
  const daemonSocket = directory.file('daemon.sock')
  const running: { stop: () => Promise<unknown> }[] = []
  let [http, https, clientPort] = [0, 0, 0]
  let gateway: WebUpstream
  let app: WebUpstream
  const withProxy = test.skipIf(!hasProgram(engine) || !hasProgram('openssl'))

  /** Compiles a spec for the proxy and runs the proxy with what comes out. */
  async function startProxy(socket: string, server = '', tls = true): Promise<void> {
    ;[http, https, clientPort] = [await freePort(), await freePort(), await freePort()]
    const { cert, key } = throwAwayCertificate(directory.path, [NAME, APP])
    const spec = `
      [gate]
      domain = "${NAME}"
      [gate.server]
      max_body = "64KiB"
      ${server}
      ${tls ? `[gate.tls.files]\ncert = "${cert}"\nkey = "${key}"` : ''}
      [backends.webui]
      engine = "open-webui"
      image = "${IMAGE}"
      network = true
      port = ${app.port}
      expose = "webui"
      [proxy]
      engine = "${engine}"
      http_port = ${http}
      https_port = ${https}
      [client]
      enable = true
      ca = "${cert}"
      port = ${clientPort}`
    const result = compile(spec, { targets: [engine] })
    if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
    const text = result.files.find(({ path }) => path === file)?.text ?? ''
    const installed = directory.file('client')
    mkdirSync(installed, { recursive: true })
    writeFileSync(`${installed}/install-client.sh`, '#!/bin/sh\n')
    const placed = text.replaceAll('/etc/gate/client', installed).replaceAll('/run/gate/proxy.sock', socket)
    running.push(await start(placed, directory.path))
    const port = tls ? https : http
    await until(() =>
      ask({ port, host: NAME, tls }).then(
        () => true,
        () => false,
      ),
    )
  }

  const stopAll = async (): Promise<void> => {
    for (const one of running.splice(0).reverse()) await one.stop()
  }
  const echoOf = async (what: Parameters<typeof ask>[0]): Promise<Echo> => JSON.parse((await ask(what)).text)

  beforeAll(async () => {
    gateway = await startWebUpstream('gateway', gatewaySocket)
    app = await startWebUpstream('app')
  })
  afterAll(async () => {
    await gateway.stop()
    await app.stop()
    directory.remove()
  })

  describe('with TLS, no proxy before it', () => {
    beforeAll(async () => {
      if (hasProgram(engine)) await startProxy(gatewaySocket)
    })
    afterAll(stopAll)

    withProxy('sends HTTP to HTTPS, and keeps the method and the path', async () => {
      const { status, headers } = await ask({ port: http, host: APP, path: '/a?b=c', method: 'POST', tls: false })
      expect({ status, to: headers.location }).toEqual({ status: 308, to: `https://${APP}:${https}/a?b=c` })
    })

    withProxy('leads each name to its own server', async () => {
      expect(await echoOf({ port: https, host: NAME })).toMatchObject({ server: 'gateway' })
      expect(await echoOf({ port: https, host: APP, path: '/a?b=c' })).toMatchObject({ server: 'app', url: '/a?b=c' })
    })

    withProxy('adds HSTS and the headers that the app did not set itself', async () => {
      const { headers } = await ask({ port: https, host: APP })
      expect(headers).toMatchObject({
        'strict-transport-security': 'max-age=31536000',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
        'x-frame-options': 'DENY',
      })
    })

    withProxy('passes each server-sent event on before the next one exists', async () => {
      const response = await open({ port: https, host: NAME, path: '/events' })
      const frames = response[Symbol.asyncIterator]()
      for (const text of ['one', 'two', 'three']) {
        gateway.sendFrame(text)
        expect(String((await frames.next()).value)).toBe(`data: ${text}\n\n`)
      }
      response.destroy()
    })

    withProxy('passes a WebSocket both ways', async () => {
      const said = await converse(https, APP, 'websocket of app;', 'hello', 'HELLO')
      expect(said).toMatch(/^HTTP\/1\.1 101 /)
      expect(said).toContain('HELLO')
    })

    withProxy('passes a body at the limit and refuses one above it', async () => {
      const body = (bytes: number) => ({ port: https, host: NAME, method: 'POST', body: Buffer.alloc(bytes) })
      expect(await echoOf(body(65_536))).toMatchObject({ bodyBytes: 65_536 })
      expect(tooLarge).toContain((await ask(body(65_537))).status)
    })

    withProxy('says who connected, not who the client claims to be', async () => {
      const claims = {
        'x-forwarded-for': '203.0.113.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'else.example.org',
        forwarded: 'for=203.0.113.1',
      }
      // on a port other than 443, clients say the port (RFC 9110, 7.2), and apps compare it with the origin of a page
      const asked = `${NAME}:${https}`
      const { headers } = await echoOf({ port: https, host: NAME, headers: { ...claims, host: asked } })
      expect(headers).toMatchObject({
        host: asked,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': asked,
      })
      expect(headers['forwarded'] ?? '').toBe('')
    })

    withProxy('hands out the installer and the CA to clients that know no name yet, and nothing else', async () => {
      const get = (path: string) => ask({ port: clientPort, host: '127.0.0.1', path, tls: false })
      expect(await get('/install-client.sh')).toMatchObject({ status: 200, text: '#!/bin/sh\n' })
      expect(await get('/ca.crt')).toMatchObject({ status: 200, text: directory.read('cert.pem') })
      for (const path of ['/', '/key.pem', '/../key.pem', '/%2e%2e/key.pem'])
        expect((await get(path)).status, path).toSatisfy((status: number) => status === 404 || status === 400)
    })
  })

  describe('for some addresses only', () => {
    beforeAll(async () => {
      if (hasProgram(engine)) await startProxy(gatewaySocket, 'allow_from = ["192.0.2.0/24"]')
    })
    afterAll(stopAll)

    withProxy('refuses all others, whatever they claim', async () => {
      for (const host of [NAME, APP]) {
        const headers = { 'x-forwarded-for': '192.0.2.7' }
        expect((await ask({ port: https, host, headers })).status).toBe(403)
      }
    })
  })

  describe('behind another proxy', () => {
    beforeAll(async () => {
      if (hasProgram(engine)) await startProxy(gatewaySocket, 'trusted_proxies = ["127.0.0.1"]')
    })
    afterAll(stopAll)

    withProxy('believes what that proxy says', async () => {
      const { headers } = await echoOf({ port: https, host: NAME, headers: { 'x-forwarded-for': '192.0.2.7' } })
      expect(headers['x-forwarded-for']).toMatch(/^192\.0\.2\.7(, 127\.0\.0\.1)?$/)
    })
  })

  describe('behind another proxy, for some addresses only (needs nginx: the compiler refuses it for Caddy)', () => {
    // Debian's Caddy cannot do this, and the compiler says so
    const withThis = test.skipIf(engine === 'caddy' || !hasProgram(engine) || !hasProgram('openssl'))

    beforeAll(async () => {
      const server = 'trusted_proxies = ["127.0.0.1"]\nallow_from = ["192.0.2.0/24", "2001:db8::/32"]'
      if (engine !== 'caddy' && hasProgram(engine)) await startProxy(gatewaySocket, server)
    })
    afterAll(stopAll)

    withThis.each([
      { from: '192.0.2.7', status: 200 },
      { from: '2001:db8::1', status: 200 },
      { from: '203.0.113.1', status: 403 },
      { from: undefined, status: 403 },
      { from: '192.0.2.7, 203.0.113.1', status: 403 },
    ])('answers $status to the address $from, as the other proxy says', async ({ from, status }) => {
      const headers: Record<string, string> = from === undefined ? {} : { 'x-forwarded-for': from }
      for (const host of [NAME, APP]) {
        const answer = await ask({ port: https, host, headers })
        expect(answer.status).toBe(status)
        if (status === 200) expect(JSON.parse(answer.text).headers['x-forwarded-for']).toBe(from)
      }
    })
  })

  describe('without TLS, before the real daemon', () => {
    let daemon: Daemon | undefined
    beforeAll(async () => {
      if (!hasProgram(engine)) return
      daemon = await startDaemon({ GATE_UPSTREAMS__ECHO__PROVIDER: 'echo' }, undefined, undefined, daemonSocket)
      await startProxy(daemonSocket, '', false)
    })
    afterAll(async () => {
      await stopAll()
      await daemon?.stop()
      daemon?.remove()
    })

    withProxy('streams a chat completion', async () => {
      const { status, headers, text } = await ask({
        port: http,
        host: NAME,
        path: '/v1/chat/completions',
        method: 'POST',
        tls: false,
        headers: { authorization: `Bearer ${daemon?.key}`, 'content-type': 'application/json' },
        body: Buffer.from(chatBody('hello there', { stream: true })),
      })
      expect({ status, hsts: headers['strict-transport-security'] }).toEqual({ status: 200, hsts: undefined })
      expect(text.match(/^data: /gm)?.length).toBeGreaterThan(2)
      expect(text).toContain('data: [DONE]')
    })
  })
})

describe.each(PROXIES)('the daemon beside $engine', ({ engine }) => {
  // the compiler refuses the two together for Debian's Caddy
  const outer = engine === 'nginx' ? 'trusted_proxies = ["127.0.0.1"]' : ''
  const place = temporaryDirectory()
  const socket = place.file('proxy.sock')
  let daemon: Daemon
  beforeAll(async () => {
    const spec = `
      [gate]
      domain = "${NAME}"
      [gate.server]
      allow_from = ["192.0.2.0/24"]
      ${outer}
      [proxy]
      engine = "${engine}"`
    const result = compile(spec, { targets: ['declared'] })
    if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
    writeFileSync(place.file('declared.json'), result.files.find(({ path }) => path.endsWith('.json'))?.text ?? '')
    daemon = await startDaemon({}, place.path, undefined, socket)
  })
  afterAll(async () => {
    await daemon?.stop()
    place.remove()
  })

  // any account of the host can connect to the port, and say there what only a proxy may say
  test.each([
    { who: 'a login of the host', over: 'port', claims: '192.0.2.7', status: 403 },
    { who: 'a login of the host', over: 'port', claims: undefined, status: 403 },
    { who: 'the proxy', over: 'socket', claims: '192.0.2.7', status: 401 },
    { who: 'the proxy', over: 'socket', claims: '203.0.113.1', status: 403 },
    { who: 'the proxy', over: 'socket', claims: undefined, status: 403 },
  ])('answers $status to $who over its $over that speaks for $claims', async ({ over, claims, status }) => {
    const at = over === 'socket' ? { port: 0, socket } : { port: Number(new URL(daemon.url).port) }
    const headers: Record<string, string> = claims === undefined ? {} : { 'x-forwarded-for': claims }
    const answer = await ask({ ...at, host: NAME, path: '/v1/models', tls: false, headers })
    expect(answer.status).toBe(status)
  })
})
