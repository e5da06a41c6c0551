import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { printed } from '../../../ctl/output/printed.ts'
import { logRecord } from '../../../schemas/admin.ts'
import { startAdminDaemon } from '../../support/admin-daemon.ts'
import { gatectl, startGatectl } from '../../support/gatectl.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

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
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const exit = startGatectl(['logs', '-f'], { env, stdout, stderr })
  const lines = createInterface(stdout)[Symbol.asyncIterator]()
  expect((await lines.next()).value).toMatch(/before$/)
  daemon.logs.log('info', 'after')
  expect((await lines.next()).value).toMatch(/after$/)
  await daemon.server.close(1_000)
  expect(await exit).toBe(0)
})

const place = temporaryDirectory()
afterAll(place.remove)
test('no text moves the cursor of whoever reads it, wherever it comes from; our own colours stay', async () => {
  const { stdout } = await gatectl(['init', '--yes', place.file('a\u001b[2J\u009b\u202e\u001b[8m.toml')])
  expect(stdout).toContain('a\\u001b[2J\\u009b\\u202e\\u001b[8m.toml')
  expect(printed('\u001b[1mNAME\u001b[22m\n\ta\r')).toBe('\u001b[1mNAME\u001b[22m\n\ta\\r')
})
