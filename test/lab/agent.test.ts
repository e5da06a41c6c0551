import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bootHost, deployByHand, type Host } from './deploy.ts'
import { ENGINE_HEALTH } from './engine/image.ts'
import { NODE } from './gate.ts'
import { describeInLab } from './suite.ts'

const REGISTRY = '127.0.0.1:5000'
const agentSocket = (backend: string) => `/run/gate/backends/${backend}/agent.sock`

describeInLab('gate-agent', () => {
  let host: Host
  beforeAll(async () => {
    host = await bootHost('agent')
    for (const script of ['ask-agent.ts', 'registry.ts'])
      cpSync(join(import.meta.dirname, script), host.path(`/opt/${script}`))
    const engine = {
      engine: 'custom',
      image: host.images.engine.reference,
      listen: 'unix',
      args: ['--listen', '{socket}'],
      health: { command: ENGINE_HEALTH, interval: '500ms', start_period: '20s' },
    }
    const pulled = `${REGISTRY}/team/idle@${host.images.idle.reference.split('@')[1]}`
    await deployByHand(
      host,
      JSON.stringify({
        backends: {
          own: engine,
          talk: { ...engine, idle_stop: '10m' },
          pulled: { ...engine, image: pulled, idle_stop: '10m' },
        },
      }),
    )
  })
  afterAll(() => host?.down())

  /** Asks as the gateway would. @returns the answers, or the refusal */
  async function ask(backend: string, method: string, options?: unknown, user = 'gate') {
    const args = options === undefined ? [] : [JSON.stringify(options)]
    const command = [NODE, '/opt/ask-agent.ts', agentSocket(backend), method, ...args]
    const { stdout, stderr } = await host.exec(command, { user, timeoutMs: 60_000 })
    const lines = stdout.trim().split('\n').filter(Boolean)
    expect(lines.length, stderr).toBeGreaterThan(0)
    return lines.map((line) => JSON.parse(line))
  }
  const activeStates = async (backend: string) => {
    const [states] = await ask(backend, 'status')
    return Object.fromEntries(states.map(({ unit, active }: { unit: string; active: string }) => [unit, active]))
  }
  /** Processes of a backend's account whose command line has these words. */
  const processes = async (backend: string, words: string) =>
    (await host.exec(['pgrep', '--uid', `gate-${backend}`, '--full', words])).stdout.trim().split('\n').filter(Boolean)

  test('an engine that wakes on demand: started whole, stopped to cold, its socket kept', async () => {
    const cold = {
      'gate-talk.service': 'inactive',
      'gate-talk-proxy.service': 'inactive',
      'gate-talk.socket': 'active',
    }
    expect(await activeStates('talk')).toEqual(cold)
    expect(await ask('talk', 'start')).toEqual(['done'])
    expect(await activeStates('talk')).toEqual({
      ...cold,
      'gate-talk.service': 'active',
      'gate-talk-proxy.service': 'active',
    })
    expect(await ask('talk', 'stop')).toEqual(['done'])
    expect(await activeStates('talk')).toEqual(cold)
  })

  test('an engine that always runs: restarted it is another process', async () => {
    const pid = () => host.run(['systemctl', '--user', '-M', 'gate-own@.host', 'show', '-P', 'MainPID', 'gate-own'])
    const before = await pid()
    expect(await ask('own', 'restart')).toEqual(['done'])
    expect(await pid()).not.toBe(before)
    expect(await activeStates('own')).toEqual({ 'gate-own.service': 'active' })
  })

  test('it is left behind by nobody: an agent ends with its connection', async () => {
    await ask('own', 'status')
    await vi.waitUntil(async () => (await processes('own', 'gate-agent')).length === 0, { timeout: 5_000 })
  })

  test('a stranger and the other backend cannot reach it; its own user can, and is refused', async () => {
    for (const user of ['nobody', 'gate-own'])
      expect(await ask('talk', 'status', undefined, user)).toMatchObject([{ code: 'AGENT_UNREACHABLE' }])
    expect(await ask('talk', 'stop', undefined, 'gate-talk')).toMatchObject([{ code: 'PEER_REFUSED' }])
    expect(await ask('talk', 'status', undefined, 'root')).toHaveLength(1)
    const uid = (await host.run(['id', '-u', 'gate-talk'])).trim()
    const journal = await host.run(['journalctl', '--no-pager', '--identifier=gate-agent', '--output=cat'])
    expect(journal).toContain(`refused: user ${uid} is neither gate nor root`)
  })

  test('a peer that the kernel cannot name is refused', async () => {
    const socket = connect(host.path(agentSocket('talk'))) // from another pid namespace
    expect(await text(socket)).toContain('"code":"PEER_REFUSED"')
  })

  /** Sends lines as they are. @returns what comes back until the agent closes */
  const say = async (...lines: readonly string[]) => {
    const command = ['curl', '-sS', '--max-time', '3', '--unix-socket', agentSocket('talk'), 'telnet://localhost']
    const { stdout } = await host.exec(command, { user: 'gate', input: `${lines.join('\n')}\n` })
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }

  test('units and images of others are refused, and the connection goes on', async () => {
    const [own] = host.images.engine.reference.split('@')
    const answers = await say(
      '{"op":"start","unit":"gate-own.service"}',
      '{"op":"stop","unit":"dbus.service"}',
      `{"op":"pull","image":"${own}"}`,
      '{"op":"exec","command":"id"}',
      'hello',
    )
    expect(answers.map(({ code }) => code)).toEqual([
      'NOT_ALLOWED',
      'NOT_ALLOWED',
      'NOT_ALLOWED',
      'UNKNOWN_OP',
      'BAD_REQUEST',
    ])
    expect(await activeStates('own')).toEqual({ 'gate-own.service': 'active' })
  })

  test('a line without end is refused, and nothing after it is read', async () => {
    expect(await say('x'.repeat(100_000), '{"op":"status"}')).toMatchObject([{ code: 'REQUEST_TOO_LONG' }])
  })

  test('a hundred connections of garbage at once change nothing', async () => {
    const flood = `
      const { connect } = require('node:net')
      let left = 100
      for (let i = 0; i < 100; i++) {
        const socket = connect('${agentSocket('talk')}')
        socket.on('error', () => {})
        socket.on('close', () => { if (--left === 0) process.exit() })
        socket.end(require('node:crypto').randomBytes(i % 2 ? 10 : 90_000))
        socket.resume()
      }`
    await host.run([NODE, '-e', flood], { user: 'gate', timeoutMs: 60_000 })
    expect(await activeStates('talk')).toMatchObject({ 'gate-talk.socket': 'active' })
    const userctl = ['systemctl', '--user', '-M', 'gate-talk@.host']
    expect(await host.run([...userctl, 'is-active', 'gate-agent.socket'])).toBe('active\n')
    expect(await host.run([...userctl, '--failed', '--no-legend', '--plain'])).toBe('')
  })

  /** Follows the journal. */
  function follow(backend: string) {
    const child = host.start([
      'runuser',
      '-u',
      'gate',
      '--',
      ...[NODE, '/opt/ask-agent.ts', agentSocket(backend), 'logs', '{"lines":5,"follow":true}'],
    ])
    const seen: { message?: string; code?: string; unit?: string }[] = []
    let rest = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      seen.push(...lines.map((line) => JSON.parse(line)))
    })
    return { child, seen, ended: once(child, 'close') }
  }

  test('the journal: the last lines, then new ones, and nothing is left when the reader goes', async () => {
    const last = await ask('own', 'logs', { lines: 3, follow: false })
    expect(last.length).toBeLessThanOrEqual(3)
    const { child, seen, ended } = follow('own')
    await vi.waitUntil(() => seen.length > 0, { timeout: 10_000 })
    await ask('own', 'restart')
    await vi.waitUntil(() => seen.some(({ message }) => message === 'engine: SIGTERM'), { timeout: 10_000 })
    await vi.waitUntil(() => seen.at(-1)?.message !== 'engine: SIGTERM', { timeout: 10_000 })
    expect(seen.every(({ unit }) => unit === 'gate-own.service')).toBe(true)
    expect(await processes('own', 'journalctl')).toHaveLength(1)
    await host.run(['pkill', '-TERM', '--full', '^/usr/lib/gate/node /opt/ask-agent.ts .*own.*logs'])
    await ended
    await vi.waitUntil(async () => (await processes('own', 'journalctl')).length === 0, { timeout: 5_000 })
    child.stdin?.end()
  })

  test('an agent that is killed: its caller hears, what it had begun is gone, the next one works', async () => {
    const { child, seen, ended } = follow('own')
    await vi.waitUntil(() => seen.length > 0, { timeout: 10_000 })
    const agents = await processes('own', 'gate-agent.js')
    expect(agents).toHaveLength(1)
    await host.run(['kill', '-KILL', ...agents])
    await ended
    expect(seen.at(-1)).toMatchObject({ code: 'CONNECTION_LOST' })
    await vi.waitUntil(async () => (await processes('own', 'journalctl')).length === 0, { timeout: 10_000 })
    expect(await activeStates('own')).toEqual({ 'gate-own.service': 'active' })
    child.stdin?.end()
  })

  test('pull takes the image by digest; gc takes what the backend does not need and Gate made', async () => {
    const podman = (...args: string[]) => host.asUser('gate-pulled').run(['podman', ...args], { timeoutMs: 60_000 })
    expect(await ask('pulled', 'pull')).toContainEqual(expect.objectContaining({ code: 'FAILED' })) // nobody serves it
    await host.run(['mkdir', '/srv/registry'])
    await host.run(['tar', '-xf', host.images.idle.archive, '-C', '/srv/registry'])
    await host.run(['mkdir', '-p', '/etc/containers/registries.conf.d'])
    const insecure = `[[registry]]\nlocation = "${REGISTRY}"\ninsecure = true\n`
    await host.run(['tee', '/etc/containers/registries.conf.d/lab.conf'], { input: insecure })
    const registry = host.start([NODE, '/opt/registry.ts', '/srv/registry'])
    await once(registry.stdout ?? registry, 'data')
    const lines = await ask('pulled', 'pull')
    expect(lines[0]).toMatch(/^pulling 127\.0\.0\.1:5000\/team\/idle@sha256:/)
    expect(lines).toContainEqual(expect.stringMatching(/^Copying blob sha256:/))
    expect(await ask('pulled', 'pull')).toEqual([expect.stringMatching(/is there$/)])

    const image = host.images.engine.reference.split('@')[0] ?? ''
    const idle = (await podman('images', '--quiet', '--no-trunc', '--filter', `reference=${REGISTRY}/team/idle`)).trim()
    await podman('create', '--name=old', '--label=gate.managed=gate', idle)
    await podman('create', '--name=mine', idle)
    const removed = [
      { what: 'container', name: 'old' },
      { what: 'image', name: expect.stringContaining(image) },
    ]
    expect(await ask('pulled', 'gc', { dryRun: true })).toEqual([removed])
    expect(await ask('pulled', 'gc')).toEqual([removed])
    expect(await ask('pulled', 'gc')).toEqual([[]])
    expect(await podman('ps', '--all', '--format={{.Names}}')).toBe('mine\n')
    expect((await podman('images', '--quiet')).trim().split('\n')).toHaveLength(1)
    registry.kill('SIGKILL')
  })
})
