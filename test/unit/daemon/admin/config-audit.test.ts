import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAdminDaemon } from '../../../support/admin-daemon.ts'
import { gatectl } from '../../../support/gatectl.ts'

let daemon: Awaited<ReturnType<typeof startAdminDaemon>>
beforeAll(async () => {
  daemon = await startAdminDaemon()
})
afterAll(() => daemon.stop())

const set = (...args: string[]) => gatectl(['config', ...args], { env: { GATE_ADMIN_SOCKET: daemon.socketPath } })

test.each([
  { name: 'a value in force', args: ['set', 'log.level', 'debug'], old: 'info', now: 'debug' },
  { name: 'a value that goes', args: ['unset', 'log.level'], old: 'debug', now: 'info' },
  {
    name: 'a value that the environment hides',
    args: ['set', 'upstreams.openai.api_key', 'sk-another', '--force'],
    old: null,
    now: { secret: true },
  },
])('the audit says what was changed: $name', async ({ args, old, now }) => {
  expect(await set(...args)).toMatchObject({ code: 0 })
  expect(daemon.audited.at(-1)).toMatchObject({ object: `config:${args[1]}`, outcome: 'done', old, new: now })
})

test('an unknown key is refused as such', async () => {
  expect(await set('set', 'log.nothing', 'x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('log.nothing'),
  })
  expect(daemon.audited.at(-1)).toMatchObject({ outcome: 'refused', reason: 'UNKNOWN_KEY' })
})
