import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { isLong, someOf } from '../support/effort.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts'
import { residentBytes } from '../support/process-cost.ts'
import {
  type At,
  canLayNetworks,
  layRelayNetworks,
  type Names,
  NETNS,
  PASSED,
  type RelayNetworks,
} from '../support/relay-networks.ts'

const run = promisify(execFile)
const BYTES = 64 * 2 ** 20
/** What a relay or a gateway may hold of a transfer, as far as its memory shows. */
const MOST_HELD = 200 * 2 ** 20
const sha256 = async (file: string) => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

const waysOf = <N extends string>(names: readonly N[]) =>
  names.flatMap((name) => (['a', 'b'] as const).map((at): { readonly name: N; readonly at: At } => ({ name, at })))
/** Each name at each relay. */
const WAYS = waysOf(['key', 'claimed', 'custom'])
/** Of the home that serves TLS by itself; visitors of `passed` come to it by the gateway's relay.backends. */
const PLAIN_WAYS = waysOf(['key', 'claimed', 'custom', 'passed'])

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

    test.each(['--http1.1', '--http2'])('curl %s is answered', async (version) => {
      expect(await nets.curl(gateway().name, at, '/v1/models', version)).toContain('"echo"')
    })

    test('the official client streams', async () => {
      const { text, parts } = await nets.clients.call('openai', gateway(), nets.gate.key)
      expect(text).toContain('one two three')
      expect(parts).toBeGreaterThan(2)
    })

    test('a client that has ended its side has its answer', async () => {
      const asked = `GET /health HTTP/1.1\r\nHost: ${gateway().name}\r\n\r\n`
      expect(await nets.clients.call('endFirst', gateway(), asked)).toMatch(/\{"status":"ok"\} \(end\)$/)
    })
  })

  const plainName = (name: keyof Names | 'passed') => (name === 'passed' ? PASSED : nets.plainNames[name])

  describe.each(PLAIN_WAYS)('of a home that is no gateway, by the $name name through relay $at', ({ name, at }) => {
    const plain = () => nets.placeOf(plainName(name), at)
    const line = (verb: string) => `${verb} ${name} ${at}\n`

    test('a WebSocket talks', async () => {
      expect(await nets.clients.call('webSocket', plain(), ['one', 'two'])).toEqual(['ONE', 'TWO'])
    })

    test('the end of one side leaves the other open, either way', async () => {
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

  test.each(someOf(PLAIN_WAYS, 5))('64 MiB are the same at both ends, either way: $name, $at', async ({ name, at }) => {
    const host = plainName(name)
    const sent = JSON.parse(await nets.curl(host, at, '/hash', '-T', nets.file('64MiB')))
    expect(sent).toEqual({ bytes: BYTES, sha256: await sha256(nets.file('64MiB')) })
    await nets.curl(host, at, `/bytes/${BYTES}`, '-o', nets.file('got'))
    const expected = createHash('sha256').update('0123456789abcdef'.repeat(BYTES / 16))
    expect(await sha256(nets.file('got'))).toBe(expected.digest('hex'))
  })

  test.runIf(isLong).each(['a', 'b'] as const)(
    '2 GiB go through relay %s and the gateway in one transfer, either way, and neither holds them',
    async (at) => {
      const bytes = 2 ** 31
      const pids = [nets.relays[at].pid, nets.gate.process.pid ?? 0]
      const before = pids.map(residentBytes)
      const most = [...before]
      const looking = setInterval(() => {
        for (const [i, pid] of pids.entries()) most[i] = Math.max(most[i] ?? 0, residentBytes(pid))
      }, 100)
      const sent = `seq 1 999999999 | head -c ${bytes}`
      const hashOf = async (command: string) => (await run('sh', ['-c', `${command} | sha256sum`])).stdout.slice(0, 64)
      try {
        expect(JSON.parse(await nets.curlPiped(PASSED, at, '/hash', `${sent} |`, '-T - -H Expect:', ''))).toEqual({
          bytes,
          sha256: await hashOf(sent),
        })
        const got = await nets.curlPiped(PASSED, at, `/bytes/${bytes}`, '', '', '| sha256sum')
        expect(got.slice(0, 64)).toBe(await hashOf(`yes 0123456789abcdef | tr -d '\\n' | head -c ${bytes}`))
      } finally {
        clearInterval(looking)
      }
      for (const [i, held] of most.entries()) expect(held - (before[i] ?? 0)).toBeLessThan(MOST_HELD)
    },
  )

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
