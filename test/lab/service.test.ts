import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bootGate, type GateLab, NODE, startStream } from './gate.ts'
import { describeInLab } from './suite.ts'

const SLOW_UPSTREAM = { slow: { provider: 'custom', base_url: 'http://127.0.0.1:9100/v1', models: ['slow'] } }
const RESTARTS = 4
const RELOADS = 20
const FEWEST_REQUESTS = 500

describeInLab('gate-daemon.service', () => {
  let gate: GateLab
  beforeAll(async () => {
    gate = await bootGate('service')
    const dropIn = gate.path('/etc/systemd/system/gate-daemon.service.d/watchdog.conf')
    mkdirSync(dirname(dropIn), { recursive: true })
    writeFileSync(dropIn, '[Service]\nWatchdogSec=2s\n')
    gate.start([NODE, '/opt/slow-upstream.ts'])
    gate.declare({ upstreams: SLOW_UPSTREAM })
    await gate.run(['systemctl', 'daemon-reload'])
    await gate.run(['systemctl', 'start', 'gate-daemon.service'])
  })
  afterAll(() => gate?.down())

  const isUp = () => vi.waitUntil(async () => (await gate.property('ActiveState')) === 'active', { timeout: 20_000 })
  const journal = (since: string) =>
    gate.run(['journalctl', '--no-pager', '-o', 'cat', '-u', 'gate-daemon', `--since=@${since}`])
  const clock = async () => (await gate.run(['date', '+%s.%N'])).trim()

  /** Runs `work` and waits until systemd has replaced the process. @returns what the journal says meanwhile */
  async function replaced(work: (pid: string) => Promise<unknown>): Promise<string> {
    await isUp()
    const before = await gate.property('MainPID')
    const since = await clock()
    await work(before)
    await vi.waitUntil(async () => !['0', before].includes(await gate.property('MainPID')), { timeout: 20_000 })
    await isUp()
    return journal(since)
  }

  test('restarting under load fails no request', async () => {
    const result = await gate.underLoad(async () => {
      for (let i = 0; i < RESTARTS; i++) await replaced(() => gate.run(['systemctl', 'restart', 'gate-daemon']))
    })
    expect(result.failures).toEqual({})
    expect(result.requests).toBeGreaterThan(FEWEST_REQUESTS)
    expect(result.connections).toBeLessThan(result.requests)
  })

  test('reloading under load fails no request, takes effect and keeps the process', async () => {
    const pid = await gate.property('MainPID')
    const result = await gate.underLoad(async () => {
      for (let i = 0; i < RELOADS; i++) {
        gate.declare({ upstreams: SLOW_UPSTREAM, models: { [`alias-${i}`]: { targets: [{ upstream: 'echo' }] } } })
        await gate.run(['systemctl', 'reload', 'gate-daemon'])
        expect((await gate.fetch('/v1/models')).body).toContain(`"alias-${i}"`)
      }
    })
    expect(result.failures).toEqual({})
    expect(result.requests).toBeGreaterThan(FEWEST_REQUESTS)
    expect(await gate.property('MainPID')).toBe(pid)
  })

  test('stopping waits for a stream that runs', async () => {
    const stream = await startStream(gate, 20)
    await gate.run(['systemctl', 'stop', 'gate-daemon'])
    const { code, text } = await stream.ended
    expect(code).toBe(0)
    expect(text).toContain('"19 "')
    expect(text).toContain('[DONE]')
    expect(await gate.property('Result')).toBe('success')
    await gate.run(['systemctl', 'start', 'gate-daemon'])
  })

  test('a second SIGTERM cuts the stream off, and a daemon cut off is replaced', async () => {
    const stream = await startStream(gate, 500)
    const log = await replaced(async (pid) => {
      await gate.run(['kill', '-TERM', pid])
      await vi.waitUntil(async () => (await gate.property('StatusText')) === 'draining')
      // ten more tokens are a second: the next signal is not taken for the same one
      const drainingAt = stream.tokens()
      await vi.waitUntil(() => stream.tokens() > drainingAt + 10, { timeout: 30_000 })
      await gate.run(['kill', '-TERM', pid])
      const { text } = await stream.ended
      expect(text).not.toContain('[DONE]')
      expect(text).toContain('"error"')
    })
    expect(log).toContain('second SIGTERM')
    expect(log).toContain('status=1/FAILURE')
  })

  test('a daemon that stands still is killed by the watchdog and replaced', async () => {
    const log = await replaced((pid) => gate.run(['kill', '-STOP', pid]))
    expect(log).toContain('Watchdog timeout')
    expect((await gate.fetch('/v1/models')).status).toBe(200)
  })

  test('a killed daemon is replaced', async () => {
    const log = await replaced((pid) => gate.run(['kill', '-KILL', pid]))
    expect(log).toContain('status=9/KILL')
    expect((await gate.fetch('/v1/models')).status).toBe(200)
  })

  test('a daemon that cannot reload goes on serving and says so', async () => {
    gate.declare('no object')
    const since = await clock()
    await gate.run(['systemctl', 'reload', 'gate-daemon'])
    expect((await gate.fetch('/v1/models')).status).toBe(200)
    expect(await journal(since)).toMatch(/declared\.json/)
  })
})
