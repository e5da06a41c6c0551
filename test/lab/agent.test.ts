import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { hasTerminals } from '../support/programs.ts'
import { bootHost, deployByHand, type Host } from './deploy.ts'
import { engineBackend } from './engine/image.ts'
import { NODE } from './gate.ts'
import { describeInLab } from './suite.ts'
import { terminal } from './terminal.ts'

const REGISTRY = '127.0.0.1:5000'
const agentSocket = (backend: string) => `/run/gate/backends/${backend}/agent.sock`

describeInLab('gate-agent', () => {
  let host: Host
  beforeAll(async () => {
    host = await bootHost('agent')
    for (const script of ['ask-agent.ts', 'registry.ts'])
      cpSync(join(import.meta.dirname, script), host.path(`/opt/${script}`))
    const engine = engineBackend(host.images)
    const pulled = `${REGISTRY}/team/idle@${host.images.idle.reference.split('@')[1]}`
    await deployByHand(
      host,
      JSON.stringify({
        backends: {
          own: engine,
          talk: { ...engine, idle_stop: '10m' },
          pulled: { ...engine, image: pulled, image_archive: undefined, idle_stop: '10m' },
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
    await vi.waitUntil(async () => (await processes('own', 'gate-agent')).length === 0, { timeout: 20_000 })
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
    await vi.waitUntil(() => seen.length > 0, { timeout: 20_000 })
    await ask('own', 'restart')
    await vi.waitUntil(() => seen.some(({ message }) => message === 'engine: SIGTERM'), { timeout: 20_000 })
    await vi.waitUntil(() => seen.at(-1)?.message !== 'engine: SIGTERM', { timeout: 20_000 })
    expect(seen.every(({ unit }) => unit === 'gate-own.service')).toBe(true)
    expect(await processes('own', 'journalctl')).toHaveLength(1)
    // an agent at work listens nowhere: the one port is the gateway's
    const listening = (await host.run(['ss', '-Hltn'])).trim().split('\n')
    expect(listening.map((line) => line.split(/\s+/)[3])).toEqual(['127.0.0.1:3000'])
    expect(await host.run(['ss', '-Hlun'])).toBe('')
    await host.run(['pkill', '-TERM', '--full', '^/usr/lib/gate/node /opt/ask-agent.ts .*own.*logs'])
    await ended
    await vi.waitUntil(async () => (await processes('own', 'journalctl')).length === 0, { timeout: 20_000 })
    child.stdin?.end()
  })

  test('an agent that is killed: its caller hears, what it had begun is gone, the next one works', async () => {
    const { child, seen, ended } = follow('own')
    await vi.waitUntil(() => seen.length > 0, { timeout: 20_000 })
    const agents = await processes('own', 'gate-agent.js')
    expect(agents).toHaveLength(1)
    await host.run(['kill', '-KILL', ...agents])
    await ended
    expect(seen.at(-1)).toMatchObject({ code: 'CONNECTION_LOST' })
    await vi.waitUntil(async () => (await processes('own', 'journalctl')).length === 0, { timeout: 20_000 })
    expect(await activeStates('own')).toEqual({ 'gate-own.service': 'active' })
    child.stdin?.end()
  })

  test('pull takes the image by digest, or from its archive; gc takes what the backend does not need and Gate made', async () => {
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
    await ask('talk', 'stop')
    await host.asUser('gate-talk').run(['podman', 'image', 'rm', '--all'])
    const loading = [`loading ${host.images.engine.archive}`]
    expect(await ask('talk', 'pull')).toEqual(expect.arrayContaining(loading))
    expect(await ask('talk', 'pull')).toEqual([`${host.images.engine.reference} is there`])

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

  /** Runs gatectl as root. */
  const gatectl = (...args: string[]) => host.exec(['gatectl', 'backend', ...args], { timeoutMs: 90_000 })

  test('gatectl backend: list, stop, start, status, each as the backend then is', async () => {
    const listed = async () => {
      const { stdout } = await gatectl('list', '--json')
      const { backends } = JSON.parse(stdout) as { backends: { name: string; state: string }[] }
      return Object.fromEntries(backends.map(({ name, state }) => [name, state]))
    }
    expect(await gatectl('start', 'talk')).toMatchObject({ code: 0, stdout: 'talk: ready\n' })
    expect(await listed()).toMatchObject({ talk: 'ready' })
    expect(await gatectl('stop', 'talk')).toMatchObject({ code: 0, stdout: 'talk: cold\n' })
    expect(await activeStates('talk')).toMatchObject({ 'gate-talk.service': 'inactive' })
    expect(await gatectl('stop', 'own')).toMatchObject({ code: 0, stdout: 'own: stopped\n' })
    expect(await activeStates('own')).toEqual({ 'gate-own.service': 'inactive' })
    const status = await gatectl('status', 'own')
    expect(status.stdout).toMatch(/^own +stopped$/m)
    expect(status.stdout).toMatch(/^gate-own.service +inactive \(dead\)/m)
    expect(await gatectl('restart', 'own')).toMatchObject({ code: 0, stdout: 'own: ready\n' })
    expect(await activeStates('own')).toEqual({ 'gate-own.service': 'active' })
    expect(await gatectl('start', 'tolk')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('did you mean "talk"?'),
    })
  })

  test('clients of the gateway have no way to the backends', async () => {
    const token = (await host.run(['gatectl', 'token', 'create', '--scopes', 'admin,agent:manage'])).trim()
    for (const path of ['/v1/backends', '/v1/backends/own']) {
      const curl = ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '10']
      const code = await host.run([...curl, '-H', `Authorization: Bearer ${token}`, `http://127.0.0.1:3000${path}`])
      expect(code).toBe('404')
    }
  })

  test('gatectl backend logs: text, JSON, following through a restart of the daemon', async () => {
    expect((await gatectl('logs', 'own', '-n', '50')).stdout).toMatch(/^\S+Z gate-own: engine: ready$/m)
    const [line = ''] = (await gatectl('logs', 'own', '-n', '1', '--json')).stdout.split('\n')
    expect(JSON.parse(line)).toMatchObject({ unit: 'gate-own.service', priority: 6 })
    const follower = host.start(['gatectl', 'backend', 'logs', 'own', '--follow'])
    const ended = once(follower, 'close')
    await once(follower.stdout ?? follower, 'data')
    await host.run(['systemctl', 'restart', 'gate-daemon'])
    expect(await ended).toEqual([0, null])
    await vi.waitUntil(async () => (await processes('own', 'journalctl')).length === 0, { timeout: 20_000 })
    const second = host.start(['gatectl', 'backend', 'logs', 'own', '--follow'])
    const broken = once(second, 'close')
    await once(second.stdout ?? second, 'data')
    await host.run(['systemctl', 'kill', '--signal=KILL', 'gate-daemon'])
    expect(await broken).toEqual([1, null])
    await vi.waitUntil(async () => (await processes('own', 'journalctl')).length === 0, { timeout: 20_000 })
    expect((await gatectl('logs', 'own', '-n', '1')).code).toBe(0)
  })

  test('gatectl backend events, logs -t and the exit code: of a start, a crash and an orderly end', async () => {
    const events = async (...args: string[]) => {
      const { stdout } = await gatectl('events', 'own', '--json', ...args)
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { event: string; exit_code?: number; reason?: string })
    }
    const names = async (count: number) => (await events('-n', String(count))).map(({ event }) => event)
    expect((await gatectl('restart', 'own')).code).toBe(0)
    expect((await names(5)).slice(-2)).toEqual(['starting', 'ready'])
    const running = await gatectl('status', 'own')
    expect(running.stdout).not.toMatch(/^exit code/m)
    await host.asUser('gate-own').run(['podman', 'kill', '--signal=KILL', 'gate-own'])
    const isBack = async () => {
      const seen = await names(100)
      return seen.lastIndexOf('ready') > seen.lastIndexOf('failed')
    }
    await vi.waitUntil(isBack, { timeout: 60_000, interval: 1_000 })
    const crash = await events()
    expect(crash).toContainEqual(expect.objectContaining({ event: 'exited', exit_code: 137 }))
    expect(crash).toContainEqual(expect.objectContaining({ event: 'failed', reason: 'exit-code' }))
    expect(crash.map(({ event }) => event)).toContain('restarting')
    expect((await gatectl('events', 'own')).stdout).toMatch(/^\S+Z exited with code 137$/m)
    expect((await gatectl('stop', 'own')).code).toBe(0)
    expect((await names(100)).at(-1)).toBe('stopped')
    expect((await gatectl('status', 'own')).stdout).toMatch(/^exit code +0$/m)
    expect((await gatectl('start', 'own')).code).toBe(0)
    expect((await gatectl('logs', 'own', '-t', '-n', '50')).stdout).toMatch(/^\S+Z engine: ready$/m)
  })

  const testTerminal = test.skipIf(!hasTerminals)

  const onTerminal = (command: string) => terminal(host, `gatectl backend ${command}`)
  const shellOnTerminal = async () => {
    const shell = onTerminal('shell own')
    await shell.shows('$ ')
    return shell
  }
  const shellJournal = () => host.run(['journalctl', '--no-pager', '--output=cat', '--identifier=gate-shell'])
  const sleepers = async (seconds: number) => (await processes('own', `^sleep ${seconds}$`)).length

  testTerminal(
    `a shell: a terminal of the right size, which follows; Ctrl-C; the code of the shell (needs node-pty)`,
    async () => {
      const { type, shows, ended } = await shellOnTerminal()
      type('busybox tty; stty size; id -u; echo "$TERM-$((40+2))"\r')
      await shows('xterm-42')
      await shows('/dev/pts/0')
      await shows('30 100')
      const pid = (await host.run(['pgrep', '--full', 'gatectl.js backend shell'])).trim()
      const pts = (await host.run(['readlink', `/proc/${pid}/fd/0`])).trim()
      await host.run(['stty', '-F', pts, 'rows', '50', 'cols', '132'])
      type('until [ "$(stty size)" = "50 132" ]; do sleep 0.1; done; echo "now $(stty size)"\r')
      await shows('now 50 132')
      type('sleep 7001\r')
      await vi.waitUntil(async () => (await sleepers(7001)) === 1, { timeout: 20_000 })
      type('\u0003')
      // what is typed before the shell has its terminal back may be thrown away
      await vi.waitUntil(async () => (await sleepers(7001)) === 0, { timeout: 20_000 })
      type('echo "after $?"\r')
      await shows('after 130')
      type('echo typed-canary; exit 3\r')
      await shows('code 3')
      await shows('restored')
      await ended
      const end = /^shell of root \(user 0\) ended after \d+ s, exit code 3$/m
      await vi.waitUntil(async () => end.test(await shellJournal()), { timeout: 20_000 })
      expect(await shellJournal()).toMatch(/^shell opened by root \(user 0\)$/m)
      const all = await host.run(['journalctl', '--no-pager', '--output=cat'])
      expect(all).not.toContain('typed-canary')
    },
  )

  testTerminal.each([
    { name: 'Enter ~ .', leave: async (type: (keys: string) => void) => type('\r~.'), code: 0 },
    {
      name: 'SIGTERM to gatectl',
      leave: () => host.run(['pkill', '-TERM', '--full', 'gatectl.js backend shell']),
      code: 143,
    },
    {
      name: 'SIGKILL to its agent',
      leave: () => host.run(['pkill', '-KILL', '--full', 'gate-agent.js --admins']),
      code: 1,
    },
  ])(
    `a shell ended by $name: the terminal is restored, and nothing runs on in the container (needs node-pty)`,
    async ({ leave, code }) => {
      const { type, shows, ended } = await shellOnTerminal()
      type('sleep 7002\r')
      await vi.waitUntil(async () => (await sleepers(7002)) === 1, { timeout: 20_000 })
      await leave(type)
      await shows(`code ${code}`)
      await shows('restored')
      await ended
      await vi.waitUntil(async () => (await sleepers(7002)) === 0, { timeout: 20_000 })
    },
  )

  testTerminal(`a shell goes on while the daemon restarts, which has no part in it (needs node-pty)`, async () => {
    const { type, shows, ended } = await shellOnTerminal()
    await host.run(['systemctl', 'restart', 'gate-daemon'])
    type('echo "still $((40+3))"\r')
    await shows('still 43')
    type('exit\r')
    await shows('code 0')
    await ended
  })

  testTerminal(
    `a shell needs a terminal, and a container that runs; the journal does not need the latter (needs node-pty)`,
    async () => {
      expect(await gatectl('shell', 'own')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('needs a terminal'),
      })
      const cold = onTerminal('shell talk')
      await cold.shows('there is no container to open a shell in')
      await cold.shows('code 1')
      const journal = onTerminal('shell talk --journal')
      await journal.shows('gate-talk.socket')
      await journal.shows('code 0')
      await Promise.all([cold.ended, journal.ended])
    },
  )
})
