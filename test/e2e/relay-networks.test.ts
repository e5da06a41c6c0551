import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openNodeKey } from '../../daemon/relay/client/node-key.ts'
import { nodeIdOf } from '../../daemon/relay/protocol.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts'
import { makeIdentity } from '../support/identities.ts'
import { hasNetns, inNetns, layCables } from '../support/netns.ts'
import { hasProgram } from '../support/programs.ts'
import { DOMAIN } from '../support/relay.ts'
import { type RelayProgram, startRelayProgram } from '../support/relay-program.ts'

const run = promisify(execFile)
const BYTES = 64 * 2 ** 20
const NAMES = ['client', 'relay-a', 'relay-b', 'home'].map((name) => `gt${process.pid % 10_000}-${name}`)
const [CLIENT = '', RELAY_A = '', RELAY_B = '', HOME = ''] = NAMES
/** Of the relays, as the client sees them. */
const AT = { a: 'fd99:1::1', b: 'fd99:2::1' } as const
const BOTH = ['a', 'b'] as const
const CLAIMED = `myserver.${DOMAIN}`

describe.skipIf(!hasNetns() || !hasProgram('curl'))('a client with IPv6 alone, and a home with IPv4 alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-networks-'))
  const file = (name: string) => join(folder, name)
  let remove = () => {}
  let relays: readonly RelayProgram[] = []
  let gate: Daemon
  let upstream: FakeUpstream
  let host: string

  beforeAll(async () => {
    remove = layCables(NAMES, [
      [HOME, '10.99.1.2/24', RELAY_A, '10.99.1.1/24'],
      [HOME, '10.99.2.2/24', RELAY_B, '10.99.2.1/24'],
      [CLIENT, 'fd99:1::2/64', RELAY_A, 'fd99:1::1/64'],
      [CLIENT, 'fd99:2::2/64', RELAY_B, 'fd99:2::1/64'],
    ])
    const env = { RELAY__HTTPS_PORT: '443', RELAY__P2P_PORT: '31145', RELAY__BIND_ADDRESS: '::' }
    relays = await Promise.all([RELAY_A, RELAY_B].map((netns) => startRelayProgram(env, undefined, netns)))
    const pins = await Promise.all(relays.map(async ({ ask }) => (await ask('GET /status')).pin))
    upstream = await startFakeUpstream(
      (seen, response) => {
        const sha = createHash('sha256').update(seen.body).digest('hex')
        response.setHeader('content-type', 'application/json')
        response.end(`{"sha":"${sha}","choices":[{"message":{"content":"${'0123456789abcdef'.repeat(BYTES / 16)}"}}]}`)
      },
      ['mock'],
      file('engine.sock'),
    )
    const state = file('state')
    host = `${nodeIdOf(openNodeKey(state).spki)}.${DOMAIN}`
    const { cert, key } = makeIdentity([host, CLAIMED])
    writeFileSync(file('cert.pem'), cert)
    writeFileSync(file('key.pem'), key)
    const own = {
      GATE_RELAY__ENABLE: 'true',
      GATE_RELAY__ADDRESSES: '["10.99.1.1:31145","10.99.2.1:31145"]',
      GATE_RELAY__PINS: JSON.stringify(pins),
      GATE_RELAY__DOMAIN: DOMAIN,
      GATE_RELAY__CUSTOM_DOMAIN: 'myserver',
      GATE_TLS__HOST: '127.0.0.1',
      GATE_TLS__HTTPS_PORT: '0',
      GATE_TLS__FILES__CERT: file('cert.pem'),
      GATE_TLS__FILES__KEY: file('key.pem'),
      GATE_SERVER__MAX_BODY: '128MiB',
      GATE_UPSTREAMS__BIG__PROVIDER: 'vllm',
      GATE_UPSTREAMS__BIG__BASE_URL: 'http://engine.test/v1',
      GATE_UPSTREAMS__BIG__SOCKET: file('engine.sock'),
    }
    gate = await startDaemon(own, state, undefined, undefined, undefined, HOME)
    await until(() => gate.output().includes(CLAIMED) && gate.output().split('"tunnel to a relay"').length === 3)
  })
  afterAll(async () => {
    await gate?.stop()
    await Promise.all(relays.map(({ kill }) => kill()))
    for (const relay of relays) relay.remove()
    await upstream?.close()
    remove()
    rmSync(folder, { recursive: true, force: true })
  })

  async function curl(name: string, at: keyof typeof AT, path: string, ...args: readonly string[]): Promise<string> {
    const [program, before] = inNetns(CLIENT, 'curl')
    const own = ['-sS', '-6', '--max-time', '20', '--cacert', file('cert.pem'), '--resolve', `${name}:443:[${AT[at]}]`]
    const auth = ['-H', `authorization: Bearer ${gate.key}`, '-H', 'content-type: application/json']
    const { stdout } = await run(program, [...before, ...own, ...auth, ...args, `https://${name}${path}`])
    return stdout
  }

  test('nothing but the relays connects them', async () => {
    await expect(run('ip', ['-n', CLIENT, 'route', 'get', '10.99.1.2'])).rejects.toThrow()
  })

  test('each relay knows the name of the key, and the claimed name is known where it was claimed', async () => {
    for (const at of BOTH) expect(await curl(host, at, '/v1/models')).toContain('"echo"')
    const tries = await Promise.allSettled(BOTH.map((at) => curl(CLAIMED, at, '/v1/models')))
    expect(tries.some((one) => one.status === 'fulfilled' && one.value.includes('"echo"'))).toBe(true)
  })

  test('an answer streams, and a WebSocket is refused as without a relay', async () => {
    const body = '{"model":"echo","stream":true,"messages":[{"role":"user","content":"through"}]}'
    expect(await curl(host, 'a', '/v1/chat/completions', '-N', '-d', body)).toMatch(/^data: [\s\S]*data: \[DONE\]/)
    const upgrade = ['--http1.1', '-o', '/dev/null', '-w', '%{http_code}', '-H', 'connection: upgrade']
    expect(await curl(host, 'b', '/v1/realtime', ...upgrade, '-H', 'upgrade: websocket')).toMatch(/^(?:426|404|501)$/)
  })

  test('64 MiB are the same at both ends, either way', async () => {
    const body = `{"model":"big/mock","messages":[{"role":"user","content":"${'fedcba9876543210'.repeat(BYTES / 16)}"}]}`
    writeFileSync(file('body.json'), body)
    await curl(host, 'b', '/v1/chat/completions', '-d', `@${file('body.json')}`, '-o', file('answer.json'))
    const answer = JSON.parse(readFileSync(file('answer.json'), 'utf8'))
    expect(answer.sha).toBe(
      createHash('sha256')
        .update(upstream.seen.at(-1)?.body ?? '')
        .digest('hex'),
    )
    expect(upstream.seen.at(-1)?.body.length).toBeGreaterThan(BYTES)
    expect(answer.choices[0].message.content).toBe('0123456789abcdef'.repeat(BYTES / 16))
  })

  test('a relay that is killed leaves the other one', async () => {
    await relays[0]?.kill()
    expect(await curl(host, 'b', '/health')).toBe('{"status":"ok"}')
  })
})
