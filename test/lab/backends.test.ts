import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { isLong } from '../support/effort.ts'
import type { ChatResult } from './chats.ts'
import { bootHost, deployByHand, type Host } from './deploy.ts'
import { ENGINE_HEALTH } from './engine/image.ts'
import { GATEWAY, NODE } from './gate.ts'
import { describeInLab } from './suite.ts'

const SOCKET = '/run/gate/backends/nap/engine.sock'
const KEY = 'lab-token-0123456789abcdef'

/** Engines in containers of rootless podman, behind sockets of systemd: everything as deployed. */
describeInLab('backends on demand', () => {
  let host: Host
  beforeAll(async () => {
    host = await bootHost('backends')
    cpSync(join(import.meta.dirname, 'chats.ts'), host.path('/opt/chats.ts'))
    const engine = (model: string, options: readonly string[], more: object) => ({
      engine: 'custom',
      image: host.images.engine.reference,
      listen: 'unix',
      args: ['--listen', '{socket}', '--model', model, ...options],
      health: { command: ENGINE_HEALTH, start_interval: '500ms', start_period: '4s' },
      ...more,
    })
    const group = { group: 'gpu' }
    const backends = {
      nap: engine('nap', ['--start-delay-ms', '1000'], { idle_stop: '3s' }),
      left: engine('left', ['--token-delay-ms', '20'], group),
      right: engine('right', ['--token-delay-ms', '20'], group),
      broken: engine('broken', ['--start-exit-code', '3'], { idle_stop: '1m' }),
      fragile: engine('fragile', ['--crash-after', '0'], { idle_stop: '1m' }),
      stuck: engine('stuck', [], {
        idle_stop: '10m',
        health: { command: ENGINE_HEALTH, interval: '1s', timeout: '2s', retries: 1 },
      }),
      hanging: engine('hanging', ['--start-delay-ms', '600000'], {
        idle_stop: '1m',
        start_timeout: '6s',
        pull_timeout: '0s',
      }),
    }
    await deployByHand(host, JSON.stringify({ backends }))
    writeFileSync(host.path('/etc/gate/gate.env'), `GATE_AUTH__TOKEN=${KEY}\n`)
    await host.run(['systemctl', 'restart', 'gate-daemon.service'])
  })
  afterAll(() => host?.down())

  async function chats(
    ...wanted: { model: string; tokens: number; count: number; turns?: number; stream?: boolean }[]
  ): Promise<ChatResult[]> {
    const list = wanted.map((one) => ({ ...one, model: `${one.model}/${one.model}` }))
    const output = await host.run([NODE, '/opt/chats.ts', GATEWAY, KEY, JSON.stringify(list)], { timeoutMs: 90_000 })
    return JSON.parse(output) as ChatResult[]
  }
  const chat = async (model: string) => (await chats({ model, tokens: 3, count: 1 }))[0]
  /** Its status is the one it ends with, however long it waits. */
  const whole = async (model: string) => (await chats({ model, tokens: 3, count: 1, stream: false }))[0]
  const isActive = async (name: string, unit = `gate-${name}.service`) => {
    const userctl = ['systemctl', '--user', '-M', `gate-${name}@.host`]
    return (await host.exec([...userctl, 'is-active', unit])).stdout.trim()
  }
  /** `gatectl backend WORD NAME --json`, as root. */
  const backend = async (word: string, name: string) => {
    const { code, stdout, stderr } = await host.exec(['gatectl', 'backend', word, name, '--json'], {
      timeoutMs: 60_000,
    })
    return { code, stderr, info: stdout === '' ? undefined : JSON.parse(stdout) }
  }
  const journal = (...filter: string[]) => host.run(['journalctl', '--no-pager', '-o', 'cat', ...filter])
  const starts = async (model: string) => (await journal()).split(`engine: starting ${model}\n`).length - 1

  test('fifty first requests start the container once; it is gone after idle_stop, and back for the next request', async () => {
    const results = await chats({ model: 'nap', tokens: 3, count: 50 })
    expect(results.filter(({ isWhole }) => !isWhole)).toEqual([])
    expect(results.filter(({ wait }) => wait.startsWith('cold-start;ms=')).length).toBe(50)
    expect(await starts('nap')).toBe(1)
    const warm = await chat('nap')
    expect(warm?.wait).toBe('')
    await vi.waitUntil(async () => (await isActive('nap')) === 'inactive', { timeout: 20_000 })
    const cold = await chat('nap')
    expect(cold?.isWhole).toBe(true)
    expect(cold?.wait).toMatch(/^cold-start/)
    expect(await starts('nap')).toBe(2)
    // figures, for whoever reads the output: this is no place for a limit on time
    const direct = async () => {
      const curl = ['curl', '-sS', '-o', '/dev/null', '-w', '%{time_total}', '--unix-socket', SOCKET]
      return (
        1_000 * Number(await host.run([...curl, 'http://localhost/v1/models'], { user: 'gate', timeoutMs: 30_000 }))
      )
    }
    const asked = (await chats({ model: 'nap', tokens: 1, count: 1, turns: 20 })).map(({ firstByteMs }) => firstByteMs)
    const warmMs = asked.sort((a, b) => a - b)[10] ?? 0
    await host.run(['systemctl', '--user', '-M', 'gate-nap@.host', 'stop', 'gate-nap-proxy', 'gate-nap'])
    const coldMs = await direct()
    console.log(
      `cold start: gateway ${cold?.firstByteMs.toFixed(0)} ms, socket ${coldMs.toFixed(0)} ms (1000 of them the engine)`,
    )
    console.log(`warm: gateway ${warmMs.toFixed(1)} ms, socket ${(await direct()).toFixed(1)} ms`)
  })

  test('a container stopped by hand is started for the request that finds out', async () => {
    expect((await chat('nap'))?.isWhole).toBe(true)
    await host.run(['systemctl', '--user', '-M', 'gate-nap@.host', 'stop', 'gate-nap.service'])
    expect((await chat('nap'))?.isWhole).toBe(true)
    await host.run(['systemctl', '--user', '-M', 'gate-nap@.host', 'kill', '--signal=KILL', 'gate-nap.service'])
    expect((await chat('nap'))?.isWhole).toBe(true)
  })

  test('a group swaps under load: no stream is cut, never two at once', async () => {
    const both: string[] = []
    let isOver = false
    const watching = (async () => {
      while (!isOver) {
        const list = await host.run(['pgrep', '-af', 'engine.*--model (left|right)'])
        if (/--model left/.test(list) && /--model right/.test(list)) both.push(list)
      }
    })().catch(() => {})
    const load = (model: string) => ({ model, tokens: 40, count: 2, turns: 3 })
    const results = await chats(load('left'), load('right'))
    isOver = true
    await watching
    expect(results.filter(({ isWhole }) => !isWhole)).toEqual([])
    expect(results.length).toBe(12)
    expect(both).toEqual([])
    expect([await isActive('left'), await isActive('right')].sort()).toEqual(['active', 'inactive'])
  })

  test('a daemon that starts again knows what runs: it makes room before it starts another of the group', async () => {
    const running = (await isActive('left')) === 'active' ? 'left' : 'right'
    const other = running === 'left' ? 'right' : 'left'
    await host.run(['systemctl', 'restart', 'gate-daemon.service'])
    expect((await chat(other))?.isWhole).toBe(true)
    expect(await isActive(running)).toBe('inactive')
  })

  test('an engine that crashes is quarantined with its log, and back once it can start', async () => {
    const refused = await whole('broken')
    expect(refused).toMatchObject({ status: 503, isWhole: false })
    expect(Number(refused?.retryAfter)).toBeGreaterThan(0)
    expect(refused?.body).toContain('backend_down')
    expect(refused?.body).not.toContain('as told')
    const told = async () => (await backend('status', 'broken')).info
    await vi.waitUntil(async () => (await told()).reason !== undefined, { timeout: 20_000 })
    expect(await told()).toMatchObject({ state: 'quarantined', reason: expect.stringContaining('exit status 3') })
    expect((await told()).log.join('\n')).toContain('engine: cannot start, as told')
    expect((await backend('start', 'broken')).stderr).toContain('exit status 3')
    // systemd has given up its socket as well
    const quadlet = '/etc/containers/systemd/users'
    const file = (await host.run(['grep', '-rl', 'gate-broken', quadlet, '--include=*.container'])).trim()
    await host.run(['sed', '-i', 's/--start-exit-code 3//', file])
    await host.run(['systemctl', '--user', '-M', 'gate-broken@.host', 'daemon-reload'])
    expect(await backend('start', 'broken')).toMatchObject({ code: 0, info: { state: 'ready', log: [] } })
    expect((await chat('broken'))?.isWhole).toBe(true)
    expect(await isActive('broken', 'gate-broken.socket')).toBe('active')
  })

  test('an engine that crashes at each request is quarantined after a few', async () => {
    const seen: number[] = []
    await vi.waitUntil(
      async () => {
        seen.push((await whole('fragile'))?.status ?? 0)
        return seen.at(-1) === 503
      },
      { timeout: 90_000 },
    )
    expect(seen.slice(0, -1).filter((status) => status !== 502)).toEqual([])
    expect(await starts('fragile')).toBeLessThanOrEqual(6)
    expect((await backend('status', 'fragile')).info).toMatchObject({ state: 'quarantined' })
  })

  test('an engine that hangs while it starts is given up at start_timeout', async () => {
    const refused = await whole('hanging')
    expect(refused).toMatchObject({ status: 503 })
    expect(refused?.body).toContain('backend_down')
  })

  test.skipIf(!isLong)('D5: an engine that hangs is killed and started again', async () => {
    expect((await chat('stuck'))?.isWhole).toBe(true)
    // in brackets, so that the pattern does not match its own command line
    await host.run(['pkill', '--signal', 'STOP', '--full', '--', '[-]-model stuck'])
    await vi.waitUntil(async () => (await starts('stuck')) === 2, { timeout: 90_000 })
    await vi.waitUntil(async () => (await chat('stuck'))?.isWhole === true, { timeout: 60_000 })
  })

  test('a daemon that is restarted while requests wait for a start lets them finish', async () => {
    await vi.waitUntil(async () => (await isActive('nap')) === 'inactive', { timeout: 20_000 })
    const before = await starts('nap')
    const waiting = chats({ model: 'nap', tokens: 3, count: 10 })
    await vi.waitUntil(async () => (await starts('nap')) > before, { timeout: 20_000 })
    await host.run(['systemctl', 'restart', 'gate-daemon.service'])
    expect((await waiting).filter(({ isWhole }) => !isWhole)).toEqual([])
  })
})
