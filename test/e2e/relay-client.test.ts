import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import OpenAI from 'openai'
import { Agent, fetch as undiciFetch } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts'
import { hasPebble, startPebble } from '../support/pebble.ts'
import { hasProgram } from '../support/programs.ts'
import { DOMAIN } from '../support/relay.ts'
import { type Fleet, type RelayedDaemon, startFleet, startRelayedDaemon } from '../support/relayed-daemon.ts'

const CLAIMED = `myserver.${DOMAIN}`
const CUSTOM = 'ai.custom.test'
/** relay-networks.test.ts has the 64 MiB of short runs. */
const MIB = isLong ? 64 : 4
const MANY_BYTES = MIB * 2 ** 20
/** One request is held in memory, so that 2 GiB are many. */
const ROUNDS = isLong ? 32 : 1
const run = promisify(execFile)

describe('one home behind two relays', () => {
  let fleet: Fleet
  let gate: RelayedDaemon
  let upstream: FakeUpstream
  const agents: Agent[] = []
  /** A client's fetch that goes to a relay, whatever the name. */
  const through = (at: number, host: string) => {
    const port = fleet.relays[at]?.port ?? 0
    const ca = readFileSync(gate.certFile, 'utf8')
    const agent = new Agent({
      connect: { ca, lookup: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) },
    })
    agents.push(agent)
    return {
      url: `https://${host}:${port}`,
      port,
      ca,
      fetch: ((url: string, init = {}) =>
        undiciFetch(url, { ...(init as object), dispatcher: agent })) as unknown as typeof fetch,
    }
  }

  beforeAll(async () => {
    fleet = await startFleet(2)
    upstream = await startFakeUpstream((seen, response) => {
      const hash = createHash('sha256').update(seen.body).digest('hex')
      response.setHeader('content-type', 'application/json')
      response.setHeader('x-body-sha256', hash)
      const size = Number(/"size":(\d+)/.exec(seen.body.slice(0, 200))?.[1] ?? 0)
      const head = `{"id":"x","object":"chat.completion","model":"mock","sha":"${hash}","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"`
      response.end(`${head}${'0123456789abcdef'.repeat(size / 16)}"}}]}`)
    })
    gate = await startRelayedDaemon(
      fleet,
      {
        GATE_RELAY__CUSTOM_DOMAIN: 'myserver',
        GATE_RELAY__NAMES: JSON.stringify([CUSTOM]),
        GATE_SERVER__MAX_BODY: '4GiB',
        GATE_UPSTREAMS__BIG__PROVIDER: 'vllm',
        GATE_UPSTREAMS__BIG__BASE_URL: upstream.url,
      },
      [CLAIMED, CUSTOM],
    )
    await until(() => fleet.relays.every(({ relay }) => relay.status().some(({ names }) => names.length === 3)))
  })
  afterEach(async () => {
    await Promise.all(agents.splice(0).map((agent) => agent.close()))
  })
  afterAll(async () => {
    expect(await gate.stop()).toBe(0)
    gate.remove()
    await upstream.close()
    await fleet.stop()
  })

  test('it has a tunnel to each, and the second was told by the first', () => {
    expect(fleet.relays.map(({ relay }) => relay.status().length)).toEqual([1, 1])
  })

  test.skipIf(!hasProgram('curl')).each([
    { name: 'of its key', host: () => gate.host, at: 0, version: '--http2' },
    { name: 'of its key', host: () => gate.host, at: 1, version: '--http1.1' },
    { name: 'that was claimed', host: () => CLAIMED, at: 0, version: '--http1.1' },
    { name: 'of its own', host: () => CUSTOM, at: 1, version: '--http2' },
  ])('curl $version is answered by the name $name', async ({ host, at, version }) => {
    const port = fleet.relays[at]?.port
    const url = `https://${host()}:${port}/v1/models`
    const args = ['-sS', version, '--cacert', gate.certFile, '--resolve', `${host()}:${port}:127.0.0.1`]
    const { stdout } = await run('curl', [...args, '-H', `authorization: Bearer ${gate.key}`, url])
    expect(JSON.parse(stdout).data.map(({ id }: { id: string }) => id)).toContain('echo')
  })

  test('the official client streams', async () => {
    const { url, fetch } = through(0, gate.host)
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: gate.key, fetch })
    const stream = await client.chat.completions.create({
      model: 'echo',
      stream: true,
      messages: [{ role: 'user', content: 'through the relay' }],
    })
    let text = ''
    for await (const part of stream) text += part.choices[0]?.delta.content ?? ''
    expect(text).toContain('through the relay')
  })

  test.each(Array.from({ length: ROUNDS }, (_, round) => round))(
    `${MIB} MiB are the same at both ends, either way (%i)`,
    async () => {
      const { url, fetch } = through(1, gate.host)
      const size = MANY_BYTES - (MANY_BYTES % 32)
      const ask = async (body: string) => {
        const headers = { authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' }
        return (await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })) as Response
      }
      const sent = JSON.stringify({
        model: 'big/mock',
        messages: [
          {
            role: 'user',
            content: randomBytes(size / 4)
              .toString('hex')
              .repeat(2),
          },
        ],
      })
      const up = (await (await ask(sent)).json()) as { sha: string }
      expect(up.sha).toBe(
        createHash('sha256')
          .update(upstream.seen.at(-1)?.body ?? '')
          .digest('hex'),
      )
      expect(upstream.seen.at(-1)?.body.length).toBeGreaterThan(size)
      const down = (await (
        await ask(JSON.stringify({ model: 'big/mock', size, messages: [{ role: 'user', content: 'x' }] }))
      ).json()) as { choices: { message: { content: string } }[] }
      expect(down.choices[0]?.message.content).toBe('0123456789abcdef'.repeat(size / 16))
    },
  )

  test('a request for a WebSocket has the answer that it has without a relay', async () => {
    const { ca, port } = through(0, gate.host)
    const socket = connect({ host: '127.0.0.1', port, ca, servername: gate.host, ALPNProtocols: ['http/1.1'] })
    socket.write(
      `GET /v1/realtime HTTP/1.1\r\nHost: ${gate.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    )
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 (?:426|501|404|400) /)
    socket.destroy()
  })

  test('a client that has ended its side still gets its answer', async () => {
    const { ca, port } = through(0, gate.host)
    const socket = connect({ host: '127.0.0.1', port, ca, servername: gate.host, ALPNProtocols: ['http/1.1'] })
    socket.end(`GET /health HTTP/1.1\r\nHost: ${gate.host}\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toContain('{"status":"ok"}')
  })

  test('a visitor that resets its connection is one that has left, and nobody else notices', async () => {
    const { url, port, fetch } = through(0, gate.host)
    const raw = connectTcp(port, '127.0.0.1')
    const socket = connect({
      socket: raw,
      ca: readFileSync(gate.certFile, 'utf8'),
      servername: gate.host,
      ALPNProtocols: ['http/1.1'],
    })
    await once(socket, 'secureConnect')
    socket.on('error', () => {})
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: ${gate.host}\r\nContent-Length: 1000\r\n\r\n{`)
    raw.resetAndDestroy()
    await until(() => fleet.relays[0]?.relay.status().every(({ visitors }) => visitors === 0) === true)
    expect((await fetch(`${url}/health`)).status).toBe(200)
  })

  test('keys count as everywhere, and no address makes a visitor one of the host', async () => {
    const { url, fetch } = through(0, gate.host)
    const answer = await fetch(`${url}/v1/models`, { headers: { 'x-forwarded-for': '127.0.0.1' } })
    expect(answer.status).toBe(401)
  })

  test('a name that is not the home’s is not served', async () => {
    const { port } = through(0, gate.host)
    const socket = connect({ host: '127.0.0.1', port, servername: `other.${DOMAIN}`, rejectUnauthorized: false })
    const [error] = (await once(socket, 'error')) as [Error & { code?: string }]
    expect(String(error)).toMatch(/unrecognized name|unrecognized_name|ECONNRESET/)
  })
})

describe.skipIf(!hasPebble)('a home without a certificate', () => {
  test.each([
    { key: 'ecdsa', kind: 'ec', claimed: true },
    { key: 'rsa', kind: 'rsa', claimed: false },
  ])('gets one through the tunnel for each of its names, $key', async ({ key, kind, claimed }) => {
    const fleet = await startFleet(1)
    const [relay] = fleet.relays
    const pebble = await startPebble({ tlsPort: relay?.port ?? 0 })
    const gate = await startRelayedDaemon(fleet, {
      GATE_TLS__FILES__CERT: '',
      GATE_TLS__FILES__KEY: '',
      GATE_TLS__HTTPS_PORT: '',
      GATE_TLS__ACME__DIRECTORY: pebble.directory,
      GATE_TLS__ACME__CA: pebble.caFile,
      GATE_TLS__ACME__KEY: key,
      ...(claimed && { GATE_RELAY__CUSTOM_DOMAIN: 'myserver', GATE_RELAY__NAMES: JSON.stringify([CUSTOM]) }),
    })
    try {
      const names = [gate.host, ...(claimed ? [CLAIMED, CUSTOM] : [])]
      const served = (name: string) => gate.output().includes(`"certificate issued","domain":"${name}"`)
      await until(() => names.every(served), 30_000)
      const ca = await pebble.issuer()
      for (const servername of names) {
        const socket = connect({ host: '127.0.0.1', port: relay?.port ?? 0, servername, ca, ALPNProtocols: ['h2'] })
        await once(socket, 'secureConnect')
        expect(socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType).toBe(kind)
        socket.destroy()
      }
    } finally {
      await gate.stop()
      gate.remove()
      await pebble.remove()
      await fleet.stop()
    }
  })
})
