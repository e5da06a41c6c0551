// What of gatectl needs a process: signals, a reader that leaves, a full disk, a terminal, rights, what is loaded.
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startAdminDaemon } from '../support/admin-daemon.ts'
import { GATECTL, gatectl, startGatectl } from '../support/gatectl-process.ts'

const run = promisify(execFile)
let daemon: Awaited<ReturnType<typeof startAdminDaemon>>
let env: Record<string, string>
beforeEach(async () => {
  daemon = await startAdminDaemon()
  env = { GATE_ADMIN_SOCKET: daemon.socketPath }
})
afterEach(() => daemon.stop())

test('through npm run, paths are meant from where it was typed', async () => {
  const npm = { npm_lifecycle_event: 'gatectl', INIT_CWD: daemon.folder }
  writeFileSync(join(daemon.folder, 'near.toml'), '[log]\nlevel = "debug"\n')
  expect(await gatectl(['config', 'validate', 'near.toml'], { env: npm })).toMatchObject({ code: 0, stderr: '' })
  const elsewhere = { ...npm, npm_lifecycle_event: 'test' }
  expect((await gatectl(['config', 'validate', 'near.toml'], { env: elsewhere })).code).toBe(1)
})

test('logs -f leaves the daemon without a follower when it is interrupted', async () => {
  const follow = daemon.logs.follow
  let following = 0
  Object.assign(daemon.logs, {
    follow: (listener: Parameters<typeof follow>[0]) => {
      following += 1
      const stop = follow(listener)
      return () => {
        following -= 1
        stop()
      }
    },
  })
  const child = startGatectl(['logs', '-f'], { env })
  try {
    await expect.poll(() => following, { timeout: 10_000 }).toBe(1)
    child.kill('SIGINT')
    await expect.poll(() => following, { timeout: 10_000 }).toBe(0)
  } finally {
    child.kill('SIGKILL')
  }
})

test('a reader that leaves early is no failure', async () => {
  for (let i = 0; i < 1_000; i++) daemon.logs.log('info', 'a line that is long enough to fill a pipe', { count: i })
  const script = `"$0" "$1" logs -n 1000 | head -1; echo "codes \${PIPESTATUS[*]}"`
  const options = { env: { ...env, PATH: process.env['PATH'], HOME: '/nonexistent' } }
  const { stdout, stderr } = await run('bash', ['-c', script, process.execPath, GATECTL], options)
  expect(stdout).toMatch(/^\S+ info {2}a line .* count=0\ncodes 0 0\n$/)
  expect(stderr).toBe('')
})

test.skipIf(!existsSync('/dev/full'))('a full disk is a failure (needs /dev/full)', async () => {
  const options = { env: { ...env, PATH: process.env['PATH'], HOME: '/nonexistent' } }
  const script = '"$0" "$1" status > /dev/full; echo "code $?"'
  const { stdout, stderr } = await run('bash', ['-c', script, process.execPath, GATECTL], options)
  expect(stdout).toBe('code 1\n')
  expect(stderr).toMatch(/^gatectl: cannot write the output: .*ENOSPC.*\n$/)
})

test('a terminal gets a bold header, and none with NO_COLOR', async () => {
  // script(1) of util-linux, part of every Debian, gives the command a terminal.
  const command = `'${process.execPath}' '${GATECTL}' token list`
  const shown = async (more: Record<string, string>) => {
    const options = { env: { ...env, ...more, PATH: process.env['PATH'], HOME: '/nonexistent', TERM: 'xterm' } }
    return (await run('script', ['-qec', command, '/dev/null'], options)).stdout
  }
  expect(await shown({})).toContain('\u001b[1mID ')
  expect(await shown({ NO_COLOR: '1' })).not.toContain('\u001b')
})

// Root may do everything, unless it gives that up.
const asNobody = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override'] : []
const canBeDenied = asNobody.length === 0 || spawnSync('setpriv', [...asNobody.slice(1), 'true']).status === 0

test.skipIf(!canBeDenied)(
  'says which group may use the socket when permission is denied (needs setpriv, as root)',
  async () => {
    chmodSync(daemon.socketPath, 0)
    try {
      const run = await gatectl(['status'], { env, through: asNobody })
      expect(run).toMatchObject({ code: 1, stdout: '' })
      expect(run.stderr).toContain(`${daemon.socketPath} (permission denied)`)
      expect(run.stderr).toMatch(/usermod -aG gate-admin/)
      const asJson = await gatectl(['status', '--json'], { env, through: asNobody })
      expect(JSON.parse(asJson.stderr)).toMatchObject({ code: 'NO_PERMISSION' })
    } finally {
      chmodSync(daemon.socketPath, 0o660)
    }
  },
)

const hasTerminal = spawnSync('script', ['--version']).status === 0

test.skipIf(!hasTerminal)('init asks on a terminal (needs script)', () => {
  const file = join(daemon.folder, 'asked.toml')
  const command = `'${process.execPath}' '${GATECTL}' init '${file}' --profile small-vps`
  const input = 'ai.home.arpa\n\n\n\nopenai\nvulkan\nqwen=llama-cpp:a.gguf\n\n'
  const run = spawnSync('script', ['-qec', command, '/dev/null'], { input, encoding: 'utf8', timeout: 15_000 })
  expect(run.status).toBe(0)
  expect(run.stdout).toMatch(/Domain of the gateway[\s\S]*Providers[\s\S]*GPU[\s\S]*Local engines[\s\S]*Image of qwen/)
  expect(readFileSync(file, 'utf8')).toMatch(
    /profile = "small-vps"[\s\S]*domain = "ai\.home\.arpa"[\s\S]*upstreams\.openai[\s\S]*server-vulkan/,
  )
})

test('other commands load neither the compiler nor the spec schema', () => {
  const trace = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
      const { runGatectl } = await import(process.argv[1])
      await runGatectl(['--help'], process)
      console.error(loaded.filter((url) => /\\/compiler\\/|spec\\.ts|node_modules/.test(url)).join())
    `,
      join(import.meta.dirname, '../../ctl/gatectl.ts'),
    ],
    { encoding: 'utf8' },
  )
  expect(trace.stdout).toContain('compile SPEC')
  expect(trace.stderr.trim()).toBe('')
})
