import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Daemon, runDaemonToEnd, startDaemon, until } from '../support/daemon.ts'
import { hasProgram } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const ON = { BREAK_GLASS: 'true', BOOTSTRAP_USER: 'admin', BOOTSTRAP_PASSWORD: 'changeme' }

/** A command of the seed's, at the port that this gateway has. @returns the status of the answer */
function seed(command: readonly string[], { url }: Daemon): string {
  const words = command.map((word) => word.replace('http://localhost:3000', url))
  const [program = '', ...args] = words
  return spawnSync(program, [...args, '-s', '-o', '/dev/null', '-w', '%{http_code}'], { encoding: 'utf8' }).stdout
}
const LIST = ['curl', '-u', 'admin:changeme', 'http://localhost:3000/api/admin/idps']
const WRONG = ['curl', '-u', 'admin:changeyou', 'http://localhost:3000/api/admin/idps']

describe.skipIf(!hasProgram('curl'))('break-glass (needs curl)', () => {
  let on: Daemon
  let off: Daemon
  beforeAll(async () => {
    on = await startDaemon(ON)
    off = await startDaemon({ ...ON, BREAK_GLASS: 'false' })
  })
  afterAll(async () => {
    await Promise.all([on, off].map((daemon) => daemon.stop()))
    on.remove()
    off.remove()
  })

  test("the seed's command works while it is on, and only then", () => {
    expect([seed(LIST, on), seed(LIST, off)]).toEqual(['200', '401'])
  })

  test('it is told at the start, in each answer, in the status, and at each use', async () => {
    const answer = await fetch(`${on.url}/api/admin/system`, {
      headers: { authorization: `Basic ${btoa('admin:changeme')}` },
    })
    expect(answer.headers.get('x-gate-break-glass')).toBe('on')
    expect(await answer.json()).toMatchObject({ break_glass: true })
    expect(on.output()).toContain('break-glass is on')
    await until(() => on.output().includes('break-glass was used'))
    expect(off.output()).not.toContain('break-glass')
    for (const daemon of [on, off]) expect(daemon.output()).not.toContain('changeme')
  })

  test('a wrong password is refused, and after some of them a right one as well', async () => {
    const daemon = await startDaemon(ON)
    try {
      const first = Array.from({ length: 6 }, () => seed(WRONG, daemon))
      expect(first).toEqual(['401', '401', '401', '401', '401', '401'])
      const right = await fetch(`${daemon.url}/api/admin/idps`, {
        headers: { authorization: `Basic ${btoa('admin:changeme')}` },
      })
      expect([right.status, right.headers.get('retry-after')]).toEqual([429, '1'])
    } finally {
      await daemon.stop()
      daemon.remove()
    }
  })

  test('whoever came in keeps no session after it is off again', async () => {
    const daemon = await startDaemon(ON)
    const login = await fetch(`${daemon.url}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: 'changeme' }),
    })
    expect(login.status).toBe(200)
    const { token } = (await login.json()) as { token: string }
    const headers = { authorization: `Bearer ${token}` }
    expect((await fetch(`${daemon.url}/api/admin/idps`, { headers })).status).toBe(200)
    await daemon.stop()
    const later = await startDaemon({}, daemon.stateDirectory)
    expect((await fetch(`${later.url}/api/admin/idps`, { headers })).status).toBe(401)
    await later.stop()
    later.remove()
  })
})

test.each([
  { name: 'no password', env: { BREAK_GLASS: 'true' }, says: 'auth.bootstrap.password is missing' },
  {
    name: 'a short password',
    env: { ...ON, BOOTSTRAP_PASSWORD: 'admin' },
    says: 'use at least 8 characters',
  },
])('$name is refused at the start', async ({ env, says }) => {
  const place = temporaryDirectory()
  const { code, output } = await runDaemonToEnd(env, place.file('state'))
  expect(code).not.toBe(0)
  expect(output).toContain(says)
  place.remove()
})
