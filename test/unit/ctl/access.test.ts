import { afterAll, beforeAll, expect, test } from 'vitest'
import { API_ANSWERS, type ApiRouteName } from '../../../schemas/api/answers.ts'
import { readPasswordHash } from '../../../syntax/phc/phc.ts'
import { startAdminDaemon } from '../../support/admin-daemon.ts'
import { gatectl } from '../../support/gatectl.ts'

let daemon: Awaited<ReturnType<typeof startAdminDaemon>>
beforeAll(async () => {
  daemon = await startAdminDaemon()
})
afterAll(() => daemon.stop())

const ctl = (line: string, stdin = '') =>
  gatectl(line.split(' '), { env: { GATE_ADMIN_SOCKET: daemon.socketPath }, stdin })

test('people are added, listed, changed and removed', async () => {
  const added = await ctl('user add ada --role admin --email ada@example.org --json')
  const { id } = API_ANSWERS['POST /api/admin/users'].parse(JSON.parse(added.stdout))
  expect((await ctl('user list')).stdout).toMatch(/^NAME +ROLE .*\nada +admin +local +- +0 +0 +never signed in +\S+\n$/)
  for (const [line, said] of [
    ['user disable ADA', `disabled ${id} "ada"`],
    ['user enable ada', `enabled ${id} "ada"`],
    ['user role ada viewer', `viewer now: ${id} "ada"`],
    ['user sign-out ada', `0 sessions ended of ${id} "ada"`],
    [`user remove ${id}`, `removed ${id} "ada"`],
  ] as const)
    expect(await ctl(line)).toMatchObject({ code: 0, stdout: `${said}\n` })
  const gone = await ctl('user role ada admin')
  expect(gone).toMatchObject({ code: 1, stdout: '' })
  expect(gone.stderr).toContain('gatectl user list shows them')
})

test('teams have members', async () => {
  await ctl('user add bob')
  expect((await ctl('team add red')).stdout).toMatch(/^added \S+ "red"\n$/)
  expect((await ctl('team join RED bob')).stdout).toMatch(/^changed \S+ "red": bob\n$/)
  expect((await ctl('team list')).stdout).toMatch(/\nred +bob +\S+\n$/)
  expect((await ctl('user list')).stdout).toMatch(/\nbob +member +local +red /)
  expect((await ctl('team leave red bob')).stdout).toMatch(/^changed \S+ "red"\n$/)
  expect((await ctl('team remove red')).stdout).toMatch(/^removed \S+ "red"\n$/)
  expect(await ctl('team remove red')).toMatchObject({ code: 1, stderr: expect.stringContaining('team list') })
})

test('a key has an owner, ranges, budgets and limits, and is changed', async () => {
  await ctl('user add grace --role admin')
  await ctl('budget set small 5 --window day --scope attached')
  await ctl('config set limits.slow {"requests_per_minute":60,"scope":"attached"}')
  const line =
    'token create --name g --scopes chat:write --owner grace --from 10.0.0.0/8 --budgets small --limits slow --json'
  const made = API_ANSWERS['POST /api/admin/keys'].parse(JSON.parse((await ctl(line)).stdout))
  expect(made).toMatchObject({
    owner: { name: 'grace' },
    addresses: ['10.0.0.0/8'],
    budgets: ['small'],
    limits: ['slow'],
  })
  const changed = await ctl('token change g --scopes chat:read --from  --expires 30d --json')
  const now = API_ANSWERS['PATCH /api/admin/keys/{id}'].parse(JSON.parse(changed.stdout))
  expect(now).toMatchObject({ id: made.id, scopes: ['chat:read'] })
  expect(now).not.toHaveProperty('addresses')
  expect((await ctl('token change g --disable')).stdout).toMatch(/, disabled, /)
  expect((await ctl('token list')).stdout).toMatch(/ g +grace +chat:read +\S+ +disabled /)
  expect((await ctl('token change g --enable --expires never')).stdout).toMatch(/, valid, /)
  expect(await ctl('token change g')).toMatchObject({ code: 2 })
  expect(await ctl('token change g --enable --disable')).toMatchObject({ code: 2 })
})

test('a key is rotated: the text alone goes to standard output', async () => {
  await ctl('token create --name spin')
  const run = await ctl('auth rotate-token spin --overlap 1h')
  expect(run.stdout).toMatch(/^gate_[\w-]{43}\n$/)
  expect(run.stderr).toMatch(/"spin" has another text, shown only once; the one before counts until /)
  expect(await ctl('token rotate')).toMatchObject({ code: 1, stderr: expect.stringContaining('auth.token') })
})

test('a password is hashed for auth.password_hash, and shown nowhere', async () => {
  const run = await ctl('auth hash-password', 'correct horse battery\n')
  expect(readPasswordHash(run.stdout.trim())).toMatchObject({ memoryKib: 19_456, passes: 2, lanes: 1 })
  expect(run.stdout + run.stderr).not.toContain('horse')
  expect(await ctl('auth hash-password', 'short')).toMatchObject({ code: 2, stdout: '' })
})

test.each<{ line: string; route: ApiRouteName }>([
  { line: 'user list', route: 'GET /api/admin/users' },
  { line: 'team list', route: 'GET /api/admin/teams' },
  { line: 'token list', route: 'GET /api/admin/keys' },
])('gatectl $line --json prints the shape of $route', async ({ line, route }) => {
  const run = await ctl(`${line} --json`)
  expect(API_ANSWERS[route].safeParse(JSON.parse(run.stdout)).error).toBeUndefined()
})

test.each([
  { line: 'user role grace boss', says: 'there are: admin, member, viewer' },
  { line: 'user add x --role admn', says: 'did you mean admin?' },
])('$line is refused', async ({ line, says }) => {
  expect(await ctl(line)).toMatchObject({ code: 2, stderr: expect.stringContaining(says) })
})
