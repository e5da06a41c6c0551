// C7: a key is revoked by its id, the beginning of one, or its name.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { API_ANSWERS } from '../../../schemas/api/answers.ts'
import { startAdminDaemon } from '../../support/admin-daemon.ts'
import { gatectl } from '../../support/gatectl.ts'

let daemon: Awaited<ReturnType<typeof startAdminDaemon>>
beforeAll(async () => {
  daemon = await startAdminDaemon()
})
afterAll(() => daemon.stop())

const ctl = (...args: string[]) => gatectl(args, { env: { GATE_ADMIN_SOCKET: daemon.socketPath } })
const create = async (name: string) =>
  API_ANSWERS['POST /api/admin/keys'].parse(JSON.parse((await ctl('token', 'create', '--name', name, '--json')).stdout))
    .id

test.each([
  ['its id', (id: string) => id],
  ['its name', () => 'laptop'],
  ['the beginning of its id', (id: string) => id.slice(0, -1)],
])('C7 by %s', async (_, word) => {
  const id = await create('laptop')
  const run = await ctl('token', 'revoke', word(id))
  expect(run).toMatchObject({ code: 0, stdout: `revoked ${id} "laptop"\n` })
})

test('C7 two keys of one name are told apart by more of the id', async () => {
  const ids = [await create('twin'), await create('twin')]
  const refused = await ctl('token', 'revoke', 'twin', '--json')
  expect(JSON.parse(refused.stderr)).toMatchObject({
    code: 'AMBIGUOUS_KEY',
    hint: expect.stringContaining(ids[1] ?? ''),
  })
  for (const id of ids) expect((await ctl('token', 'revoke', id)).code).toBe(0)
})

test('C7 a name that revoked keys have too means the one in force', async () => {
  await create('again')
  expect((await ctl('token', 'revoke', 'again')).code).toBe(0)
  const id = await create('again')
  expect((await ctl('token', 'revoke', 'again')).stdout).toContain(id)
})

test.each(['none', '', '%'])('C7 "%s" names no key', async (word) => {
  await create('other')
  const run = await ctl('token', 'revoke', word, '--json')
  expect(run.code).toBe(1)
  expect(run.stderr).toMatch(/TOKEN_NOT_FOUND|UNKNOWN_ROUTE/)
})
