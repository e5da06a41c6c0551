// People without a credential, whom a proxy has signed in.
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { hasProgram } from '../support/programs.ts'

const ADA = { 'x-forwarded-user': 'ada', 'x-forwarded-groups': 'ops', 'x-forwarded-email': 'ada@example.org' }

describe('headers of a proxy', () => {
  let trusting: Daemon
  let other: Daemon
  beforeAll(async () => {
    const roles = '[{"group":"ops","role":"admin"}]'
    trusting = await startDaemon({ GATE_AUTH__PROXY__FROM: '127.0.0.1', GATE_AUTH__PROXY__ROLES: roles })
    other = await startDaemon({ GATE_AUTH__PROXY__FROM: '0.0.0.0/0,::/0,10.0.0.9', GATE_AUTH__PROXY__ROLES: roles })
  })
  afterAll(async () => {
    await Promise.all([trusting.stop(), other.stop()])
    trusting.remove()
    other.remove()
  })
  const me = (daemon: Daemon, headers: Record<string, string>) => fetch(`${daemon.url}/auth/me`, { headers })

  test('name the person, who is made at the first sight of them, with the role of a group', async () => {
    expect(await (await me(trusting, ADA)).json()).toMatchObject({
      name: 'ada',
      via: 'proxy',
      user: { role: 'admin', email: 'ada@example.org' },
    })
    const later = await me(trusting, { ...ADA, 'x-forwarded-groups': 'others' })
    expect(await later.json()).toMatchObject({ user: { role: 'member' } })
  })

  test.each([
    { name: 'a peer that is not listed', headers: ADA },
    { name: 'a peer that says it is the proxy', headers: { ...ADA, 'x-forwarded-for': '10.0.0.9' } },
  ])('are nothing from $name', async ({ headers }) => {
    expect((await me(other, headers)).status).toBe(401)
  })

  test.skipIf(!hasProgram('curl'))(
    'do not act for a page of another site, nor under a name that is not the gateway (needs curl)',
    async () => {
      const change = {
        method: 'POST',
        headers: { ...ADA, origin: 'https://evil.example', 'content-type': 'application/json' },
      }
      expect((await fetch(`${trusting.url}/api/user/tokens`, { ...change, body: '{"name":"x"}' })).status).toBe(403)
      const rebound = spawnSync('curl', [
        '-s',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        '-H',
        'Host: evil.example',
        '-H',
        'X-Forwarded-User: ada',
        `${trusting.url}/auth/me`,
      ])
      expect(rebound.stdout.toString()).toBe('421')
    },
  )
})
