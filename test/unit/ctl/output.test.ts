import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { logRecord } from '../../../schemas/admin.ts'
import { startAdminDaemon } from '../../support/admin-daemon.ts'
import { GATECTL, gatectl, startGatectl } from '../../support/gatectl.ts'

const run = promisify(execFile)
let daemon: Awaited<ReturnType<typeof startAdminDaemon>>
let env: Record<string, string>
beforeEach(async () => {
  daemon = await startAdminDaemon()
  env = { GATE_ADMIN_SOCKET: daemon.socketPath }
})
afterEach(() => daemon.stop())

test('logs shows the last lines, for people and as JSON', async () => {
  daemon.logs.log('warn', 'one', { upstream: 'openai' })
  daemon.logs.log('debug', 'two')
  daemon.logs.log('error', 'three\u001b[2J')
  const text = await gatectl(['logs', '--level', 'warn'], { env })
  expect(text.stdout).toMatch(/^\S+Z warn {2}one upstream=openai\n\S+Z error three\\u001b\[2J\n$/)
  const json = await gatectl(['logs', '-n', '1', '--json'], { env })
  expect(logRecord.parse(JSON.parse(json.stdout)).message).toBe('three\u001b[2J')
})

test('logs -f goes on with new lines, and ends with the daemon', async () => {
  daemon.logs.log('info', 'before')
  const child = startGatectl(['logs', '-f'], { env })
  try {
    const exit = once(child, 'close')
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    expect((await lines.next()).value).toMatch(/before$/)
    daemon.logs.log('info', 'after')
    expect((await lines.next()).value).toMatch(/after$/)
    await daemon.server.close(1_000)
    expect(await exit).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
  }
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
