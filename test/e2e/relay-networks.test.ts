import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { someOf } from '../support/effort.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts'
import {
  type At,
  canLayNetworks,
  layRelayNetworks,
  type Names,
  NETNS,
  type RelayNetworks,
} from '../support/relay-networks.ts'

const run = promisify(execFile)
const BYTES = 64 * 2 ** 20
const sha256 = async (file: string) => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Each name at each relay. */
const WAYS = (['key', 'claimed', 'custom'] as const).flatMap((name) =>
  (['a', 'b'] as const).map((at): { readonly name: keyof Names; readonly at: At } => ({ name, at })),
)

describe.skipIf(!canLayNetworks)('a client with IPv6 alone, and homes with IPv4 alone that only dial out', () => {
  let nets: RelayNetworks
  let upstream: FakeUpstream

  beforeAll(async () => {
    nets = await layRelayNetworks((file) => ({
      GATE_SERVER__MAX_BODY: '128MiB',
      GATE_UPSTREAMS__BIG__PROVIDER: 'vllm',
      GATE_UPSTREAMS__BIG__BASE_URL: 'http://engine.test/v1',
      GATE_UPSTREAMS__BIG__SOCKET: file('engine.sock'),
    }))
    upstream = await startFakeUpstream(
      (seen, response) => {
        const sha = createHash('sha256').update(seen.body).digest('hex')
        response.setHeader('content-type', 'application/json')
        response.end(`{"sha":"${sha}","choices":[{"message":{"content":"${'0123456789abcdef'.repeat(BYTES / 16)}"}}]}`)
      },
      ['mock'],
      nets.file('engine.sock'),
    )
    writeFileSync(nets.file('64MiB'), randomBytes(BYTES))
  }, 60_000)
  afterAll(async () => {
    await upstream?.close()
    await nets?.stop()
  })

  test('nothing but the relays connects them', async () => {
    await expect(run('ip', ['-n', NETNS.client, 'route', 'get', '10.99.1.2'])).rejects.toThrow()
    const listening = (await run('ip', ['netns', 'exec', NETNS.home, 'ss', '-Hltn'])).stdout.trim().split('\n')
    expect(listening.filter((line) => !/ 127\.0\.0\.1:\d+ /.test(line))).toEqual([])
  })

  describe.each(WAYS)('by the $name name through relay $at', ({ name, at }) => {
    const gateway = () => nets.placeOf(nets.gateNames[name], at)
    const plain = () => nets.placeOf(nets.plainNames[name], at)
    const line = (verb: string) => `${verb} ${name} ${at}\n`

    test.each(['--http1.1', '--http2'])('curl %s is answered', async (version) => {
      expect(await nets.curl(gateway().name, at, '/v1/models', version)).toContain('"echo"')
    })

    test('the official client streams', async () => {
      const { text, parts } = await nets.clients.call('openai', gateway(), nets.gate.key)
      expect(text).toContain('one two three')
      expect(parts).toBeGreaterThan(2)
    })

    test('a WebSocket talks', async () => {
      expect(await nets.clients.call('webSocket', plain(), ['one', 'two'])).toEqual(['ONE', 'TWO'])
    })

    test('the end of one side leaves the other open, either way', async () => {
      const asked = `GET /health HTTP/1.1\r\nHost: ${gateway().name}\r\n\r\n`
      expect(await nets.clients.call('endFirst', gateway(), asked)).toMatch(/\{"status":"ok"\} \(end\)$/)
      const first = line('wait-for-end')
      expect(await nets.clients.call('endFirst', plain(), first)).toBe(`after the end: ${first.length} (end)`)
      expect(await nets.clients.call('endLast', plain(), line('end-first'), 'still here')).toBe('home has ended (end)')
      await until(async () => (await nets.plain.call('seen', line('end-first').trim())) === 'still here')
    })

    test('a reset of one side is a reset at the other, either way', async () => {
      expect(await nets.clients.call('isReset', plain(), line('reset-me'))).toBe('ECONNRESET')
      await nets.clients.call('reset', plain(), line('be-reset'))
      await until(async () => (await nets.plain.call('seen', line('be-reset').trim())) !== null)
      expect(await nets.plain.call('seen', line('be-reset').trim())).toBe('ECONNRESET')
    })
  })

  test.each(someOf(WAYS, 3))('64 MiB are the same at both ends, either way: $name, $at', async ({ name, at }) => {
    const host = nets.plainNames[name]
    const sent = JSON.parse(await nets.curl(host, at, '/hash', '-T', nets.file('64MiB')))
    expect(sent).toEqual({ bytes: BYTES, sha256: await sha256(nets.file('64MiB')) })
    await nets.curl(host, at, `/bytes/${BYTES}`, '-o', nets.file('got'))
    const expected = createHash('sha256').update('0123456789abcdef'.repeat(BYTES / 16))
    expect(await sha256(nets.file('got'))).toBe(expected.digest('hex'))
  })

  test('64 MiB through the gateway are the same at both ends, either way', async () => {
    const body = `{"model":"big/mock","messages":[{"role":"user","content":"${'fedcba9876543210'.repeat(BYTES / 16)}"}]}`
    writeFileSync(nets.file('body.json'), body)
    const files = ['-d', `@${nets.file('body.json')}`, '-o', nets.file('answer.json')]
    await nets.curl(nets.gateNames.key, 'b', '/v1/chat/completions', ...files)
    const answer = JSON.parse(readFileSync(nets.file('answer.json'), 'utf8'))
    expect(answer.sha).toBe(
      createHash('sha256')
        .update(upstream.seen.at(-1)?.body ?? '')
        .digest('hex'),
    )
    expect(upstream.seen.at(-1)?.body.length).toBeGreaterThan(BYTES)
    expect(answer.choices[0].message.content).toBe('0123456789abcdef'.repeat(BYTES / 16))
  })

  test('a relay that is killed leaves the other one: within 2 s a new connection is answered there', async () => {
    await nets.relays.a.kill()
    for (const host of Object.values(nets.gateNames))
      expect(await nets.curl(host, 'b', '/health', '--max-time', '2')).toBe('{"status":"ok"}')
  })
})
