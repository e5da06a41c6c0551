import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminProblem } from '../../schemas/admin.ts'
import { API_ANSWERS, type ApiRouteName } from '../../schemas/api/answers.ts'
import { chatBody } from '../support/chat.ts'
import { type Daemon, runDaemonToEnd, startDaemon, until } from '../support/daemon.ts'
import { GATECTL, gatectl, startGatectl } from '../support/gatectl-process.ts'

const SECRET = 'sk-canary-4242424242'
let daemon: Daemon
let printed = ''

beforeAll(async () => {
  daemon = await startDaemon({ GATE_UPSTREAMS__HIDDEN__API_KEY: SECRET, GATE_UPSTREAMS__HIDDEN__PROVIDER: 'openai' })
})
afterAll(async () => {
  await daemon.stop()
  daemon.remove()
})

/** Runs gatectl against the daemon of this file, found as the daemon's own unit would find it. */
async function ctl(args: string, stdin = '') {
  const run = await gatectl(args.split(' '), { env: { STATE_DIRECTORY: daemon.stateDirectory }, stdin })
  printed += run.stdout + run.stderr
  return run
}

async function answerOf<R extends ApiRouteName>(route: R, args: string) {
  const { stdout } = await ctl(`${args} --json`)
  return API_ANSWERS[route].parse(JSON.parse(stdout)) as ReturnType<(typeof API_ANSWERS)[R]['parse']>
}

const chatStatus = async (key: string) => {
  const body = chatBody('hello')
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return (await fetch(`${daemon.url}/v1/chat/completions`, { method: 'POST', headers, body })).status
}

test('status tells what runs', async () => {
  const status = await answerOf('GET /api/admin/system', 'status')
  expect(status).toMatchObject({ state: 'ready', pid: daemon.process.pid, listen: [daemon.url], problems: [] })
  expect(status.upstreams.map((upstream) => upstream.name)).toContain('echo')
})

test.each<{ route: ApiRouteName; args: string }>([
  { route: 'POST /api/admin/reload', args: 'reload' },
  { route: 'GET /api/admin/keys', args: 'token list' },
  { route: 'GET /api/admin/usage', args: 'usage' },
  { route: 'POST /api/admin/route', args: 'route explain --model echo' },
  { route: 'GET /api/admin/config', args: 'config get --all' },
  { route: 'GET /api/admin/config/diff', args: 'config diff' },
  { route: 'GET /api/admin/config/promote', args: 'config promote --format nix' },
  { route: 'GET /api/admin/config/keys/{key}', args: 'config explain upstreams.hidden.api_key' },
])('the real daemon answers gatectl $args in its shape', async ({ route, args }) => {
  await expect(answerOf(route, args)).resolves.toBeDefined()
})

test('a key works from when it is made until it is revoked', async () => {
  const made = await answerOf('POST /api/admin/keys', 'token create --name e2e --scopes chat:write --expires 1h')
  const lifeMs = Date.parse(made.expires_at ?? '') - Date.parse(made.created_at)
  expect(Math.abs(lifeMs - 3_600_000)).toBeLessThan(1_000)
  expect(await chatStatus(made.token)).toBe(200)
  const used = await answerOf('GET /api/admin/usage', 'usage --since today')
  expect(used.keys).toMatchObject([{ id: made.id, name: 'e2e', requests: 1, failed: 0 }])
  expect(used.total.output_tokens).toBeGreaterThan(0)
  expect((await ctl(`token revoke ${made.id}`)).code).toBe(0)
  expect(await chatStatus(made.token)).toBe(401)
  expect((await ctl('token list')).stdout).toMatch(new RegExp(`${made.id} +e2e +- +chat:write +\\S+ +revoked`))
})

test('route explain shows where a request of a key goes', async () => {
  const made = await answerOf('POST /api/admin/keys', 'token create --name routed --scopes chat:write --models echo')
  expect((await answerOf('POST /api/admin/route', `route explain --model echo --key ${made.id}`)).targets).toHaveLength(
    1,
  )
  const refused = await ctl(`route explain --model elsewhere --key ${made.id}`)
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('that this key may use') })
  expect(await ctl('route explain --model echo --key nobody')).toMatchObject({ code: 1 })
  expect((await ctl(`token revoke ${made.id}`)).code).toBe(0)
})

test('an edit takes effect at once, shows in diff and promote, and unset takes it back', async () => {
  expect(await ctl('config set log.level debug')).toMatchObject({ code: 0, stdout: 'changed: log.level\n' })
  expect((await ctl('config get log.level')).stdout).toBe('debug\n')
  expect((await ctl('config diff --check')).code).toBe(3)
  expect((await ctl('config promote')).stdout).toBe('[gate.log]\nlevel = "debug"\n')
  expect((await ctl('config promote --format nix')).stdout).toBe('services.gate-daemon.settings.log.level = "debug";\n')
  expect((await ctl('config unset log.level')).code).toBe(0)
  expect((await ctl('config get log.level')).stdout).toBe('info\n')
  expect((await ctl('config diff --check')).code).toBe(0)
})

test.each([
  { args: 'config set log.level debgu', code: 'INVALID_VALUE', hint: /did you mean "debug"/ },
  { args: 'config set server.prot 3000', code: 'UNKNOWN_KEY', hint: /did you mean server\.port/ },
  { args: 'config set server.max_connections many', code: 'WRONG_TYPE', hint: /write 3000/ },
  { args: 'config set upstreams.hidden.api_key x', code: 'SHADOWED', hint: /--force/ },
  { args: 'config explain sever.port', code: 'UNKNOWN_KEY', hint: /did you mean server\.port/ },
])('refuses "$args" and says what to do', async ({ args, code, hint }) => {
  const run = await ctl(`${args} --json`)
  expect(run).toMatchObject({ code: 1, stdout: '' })
  const problem = adminProblem.parse(JSON.parse(run.stderr))
  expect(problem.code).toBe(code)
  expect(problem.hint).toMatch(hint)
})

test('a secret goes in through standard input and never comes out', async () => {
  await ctl('config set upstreams.mine.provider openai')
  expect((await ctl('config set upstreams.mine.api_key -', `${SECRET}-stdin\n`)).code).toBe(0)
  const file = readFileSync(join(daemon.stateDirectory, 'config.toml'), 'utf8')
  expect(file).toMatch(/\[upstreams\.mine\][\s\S]*\bapi_key\b/) // sealed
  expect(file).not.toContain(`${SECRET}-stdin`)
  for (const args of ['explain upstreams.mine.api_key', 'explain upstreams.mine', 'get --all', 'diff', 'promote']) {
    expect((await ctl(`config ${args}`)).code).toBe(0)
    await ctl(`config ${args} --json`)
  }
  await ctl('logs --json -n 1000')
  await ctl('config unset upstreams.mine')
  expect(printed).not.toContain(SECRET)
  expect(daemon.output()).not.toContain(SECRET)
})

test('explain shows a value in all four layers', async () => {
  const { stdout } = await ctl('config explain server.port')
  expect(stdout).toBe(
    [
      'server.port = 0',
      'TCP port; 0 takes any free one.',
      'A change takes effect when gate-daemon restarts.',
      '',
      '   LAYER     VALUE  SET BY',
      '*  env       0      GATE_SERVER__PORT',
      '   runtime   -      not set',
      '   declared  -      not set',
      '   defaults  3000   built in',
      '',
    ].join('\n'),
  )
})

test('reload tells of a broken file, keeps the last good values, and status shows the problem', async () => {
  const file = join(daemon.stateDirectory, 'config.toml')
  await ctl('config set log.level debug')
  const good = readFileSync(file, 'utf8')
  writeFileSync(file, '[log]\nlevel = ')
  const reload = await ctl('reload')
  expect(reload.code).toBe(1)
  expect(reload.stderr).toContain(`${file}:2:`)
  expect((await ctl('status')).stdout).toContain(`${file}:2:`)
  expect((await ctl('config get log.level')).stdout).toBe('debug\n')
  expect((await ctl('config validate')).code).toBe(3)
  expect((await ctl(`config validate ${file}`)).code).toBe(3)
  writeFileSync(file, good)
  expect((await ctl('reload')).code).toBe(0)
  expect((await ctl('config validate')).code).toBe(0)
  await ctl('config unset log.level')
})

test('logs -f shows a request when it is answered', async () => {
  await ctl('config set log.level debug')
  const child = startGatectl(['logs', '-f', '-n', '0', '--json'], { env: { STATE_DIRECTORY: daemon.stateDirectory } })
  try {
    const lines = createInterface(child.stdout)
    const seen: string[] = []
    lines.on('line', (line) => seen.push(line))
    // The line of the command itself tells that the follower is there.
    await until(async () => (await ctl('reload')).code === 0 && seen.length > 0)
    expect(await chatStatus(daemon.key)).toBe(200)
    await until(() => seen.some((line) => line.includes('"path":"/v1/chat/completions"')))
  } finally {
    child.kill('SIGKILL')
    await ctl('config unset log.level')
  }
})

test.each([
  { name: 'as it is', env: {} },
  { name: 'with another admin socket (A8)', env: { GATE_ADMIN_SOCKET: '/tmp/gate-test-another.sock' } },
  { name: 'with another port (A8)', env: { GATE_SERVER__PORT: '0' } },
])('a second daemon on the same state directory refuses, and says why: $name', async ({ env }) => {
  const second = await runDaemonToEnd(env, daemon.stateDirectory)
  expect(second.code).toBe(1)
  expect(second.output).toMatch(/the state directory is in use; stop the gate-daemon or gate-relay that runs on it/)
  expect((await ctl('status')).code).toBe(0)
})

test('a second daemon on the same admin socket refuses, and says why', async () => {
  const place = mkdtempSync(join(tmpdir(), 'gate-test-'))
  const second = await runDaemonToEnd({ GATE_ADMIN_SOCKET: join(daemon.stateDirectory, 'admin.sock') }, place)
  rmSync(place, { recursive: true })
  expect(second.code).toBe(1)
  expect(second.output).toMatch(/admin\.sock: another gate-daemon answers there; stop it/)
  expect((await ctl('status')).code).toBe(0)
})

test('a daemon that was killed leaves a socket that the next one replaces', async () => {
  const first = await startDaemon()
  const socket = join(first.stateDirectory, 'admin.sock')
  await first.kill()
  expect(existsSync(socket)).toBe(true)
  const refused = await gatectl(['--socket', socket, 'status'])
  expect(refused.stderr).toContain(`${socket} (no program listens)`)
  const second = await startDaemon({}, first.stateDirectory)
  try {
    expect((await gatectl(['--socket', socket, 'status'])).code).toBe(0)
  } finally {
    await second.stop()
    expect(existsSync(socket)).toBe(false)
    second.remove()
  }
})

// What systemd does for a socket unit: listens, and starts the daemon with the socket as descriptor 3.
const ACTIVATE = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='admin')
os.execv(sys.argv[2], sys.argv[2:])
`

test('an inherited admin socket works, and stays when the daemon stops', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-activated-'))
  const socket = join(folder, 'inherited.sock')
  const command = [socket, process.execPath, join(import.meta.dirname, '../../bin/gate-daemon.ts')]
  const child = spawn('python3', ['-c', ACTIVATE, ...command], {
    env: { ...process.env, STATE_DIRECTORY: folder, GATE_SERVER__PORT: '0', GATE_DISCOVERY__ENABLED: 'false' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  try {
    await until(async () => (await gatectl(['--socket', socket, 'status'])).code === 0, 20_000)
    const { stdout } = await gatectl(['--socket', socket, 'status', '--json'])
    expect(API_ANSWERS['GET /api/admin/system'].parse(JSON.parse(stdout)).pid).toBe(child.pid)
    expect(existsSync(join(folder, 'admin.sock'))).toBe(false)
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    expect(statSync(socket).isSocket()).toBe(true)
  } finally {
    child.kill('SIGKILL')
    await exited
    rmSync(folder, { recursive: true })
  }
})

/** Files that a run loads, by V8's own count. */
async function loadedBy(args: readonly string[]): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gate-loaded-'))
  const env = { PATH: process.env['PATH'], HOME: folder, NODE_V8_COVERAGE: folder }
  await promisify(execFile)(process.execPath, [GATECTL, ...args], { env }).catch(() => {}) // no daemon is no matter
  const reports = readdirSync(folder).filter((name) => name.startsWith('coverage-'))
  const urls = reports.flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] }
    return result.map(({ url }) => url).filter((url) => url.startsWith('file:'))
  })
  rmSync(folder, { recursive: true })
  return [...new Set(urls)]
}

// what makes a start slow is what it loads: its speed is measured in bench/, never asserted
test.each([['--version'], ['--help'], ['completion', 'bash'], ['config', 'get', 'log.level'], ['backend', 'list']])(
  'gatectl %s %s loads its own command and no package',
  async (...args) => {
    const files = await loadedBy(args)
    expect(files.length).toBeGreaterThan(10)
    // the tables of all groups are read to find the command, and the words that they are made of
    expect(files.filter((url) => !/\/table\.ts$|\/schemas\/words\//.test(url)).length).toBeLessThan(28)
    expect(files.filter((url) => url.includes('node_modules'))).toEqual([])
    const commands = files.filter((url) => /\/ctl\/commands\/[a-z]+\/(?!table|options)/.test(url))
    expect(commands.length).toBeLessThanOrEqual(1)
  },
)
