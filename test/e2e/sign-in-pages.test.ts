import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHasher } from '../../daemon/auth/password/hasher.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'

const PASSWORD = 'correct horse battery'
let daemon: Daemon
beforeAll(async () => {
  const hash = await createHasher().hash(PASSWORD)
  daemon = await startDaemon({ GATE_AUTH__MODE: 'token,password,device', GATE_AUTH__PASSWORD_HASH: hash })
})
afterAll(async () => {
  await daemon.stop()
  daemon.remove()
})

const form = (
  fields: Record<string, string>,
  headers: Record<string, string> = { 'sec-fetch-site': 'same-origin' },
) => ({
  method: 'POST',
  redirect: 'manual' as const,
  headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  body: new URLSearchParams(fields).toString(),
})
const login = (fields: Record<string, string>, headers?: Record<string, string>) =>
  fetch(`${daemon.url}/login`, form({ username: 'admin', password: PASSWORD, ...fields }, headers))

async function signedIn(): Promise<string> {
  const cookie = (await login({})).headers.get('set-cookie') ?? ''
  return cookie.split(';')[0] ?? ''
}

test('the page has a form, no script of its own, and a strict policy', async () => {
  const page = await fetch(`${daemon.url}/login?return_to=/device`)
  const text = await page.text()
  const policy = page.headers.get('content-security-policy') ?? ''
  expect(page.status).toBe(200)
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  expect(page.headers.get('cache-control')).toBe('no-store')
  expect(text).toContain('<input type="hidden" name="return_to" value="/device">')
  expect(text).not.toContain('<script')
})

test('a right password signs in, by a cookie, and leads on', async () => {
  const answer = await login({ return_to: '/device?user_code=A' })
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/device?user_code=A'])
  expect(answer.headers.get('set-cookie')).toMatch(/^se_session=\S+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  const me = await fetch(`${daemon.url}/auth/me`, { headers: { cookie } })
  expect(await me.json()).toMatchObject({ name: 'admin', via: 'session', user: { role: 'admin' } })
})

test("a seed's login takes the password alone", async () => {
  const answer = await fetch(`${daemon.url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ password: PASSWORD }),
  })
  expect(await answer.json()).toMatchObject({ user: { name: 'admin' } })
})

test('a wrong password is in the audit as refused, as it is over the API', async () => {
  await login({ password: 'wrong' })
  const headers = { cookie: await signedIn(), 'sec-fetch-site': 'same-origin' }
  const answer = await fetch(`${daemon.url}/api/admin/audit`, { headers })
  expect(answer.status).toBe(200)
  const { entries } = (await answer.json()) as { entries: readonly Record<string, unknown>[] }
  expect(entries.filter(({ object }) => !String(object).startsWith('session:'))).toEqual(
    expect.arrayContaining([expect.objectContaining({ outcome: 'refused', reason: 'SIGN_IN_REFUSED' })]),
  )
  expect(entries).not.toContainEqual(expect.objectContaining({ outcome: 'done', object: 'refused' }))
})

test('an unknown name and a wrong password are answered alike', async () => {
  const answers = await Promise.all(
    [{ username: 'nobody' }, { password: 'wrong' }].map(async (fields) => {
      const answer = await login(fields)
      const text = (await answer.text()).replace(/value="(?:nobody|admin)"/, '')
      const headers = [...answer.headers].filter(([name]) => !['date', 'x-request-id', 'content-length'].includes(name))
      return { status: answer.status, text, headers }
    }),
  )
  expect(answers[0]).toEqual(answers[1])
  expect(answers[0]?.status).toBeGreaterThanOrEqual(400)
})

test.each(['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '/a\r\nb: c', ''])(
  'leads to no other site: return_to=%j',
  async (returnTo) => {
    expect((await login({ return_to: returnTo })).headers.get('location')).toBe('/')
  },
)

test.each([
  { name: 'another site', headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } },
  { name: 'a sibling domain', headers: { 'sec-fetch-site': 'same-site', origin: 'https://evil.example' } },
  { name: 'an old browser on another site', headers: { origin: 'https://evil.example' } },
  { name: 'a page without an origin', headers: { origin: 'null' } },
])('the form is refused from $name', async ({ headers }) => {
  expect((await login({}, headers)).status).toBe(403)
})

test('the form is taken from the page of an old browser', async () => {
  expect((await login({}, { origin: daemon.url })).status).toBe(303)
})

test('texts of a request are escaped', async () => {
  const page = await login({ username: '"><script>alert(1)</script>', password: 'x' })
  expect(await page.text()).not.toContain('<script>alert')
})

test('signing out ends the session', async () => {
  const cookie = await signedIn()
  const out = await fetch(`${daemon.url}/logout`, form({}, { cookie, 'sec-fetch-site': 'same-origin' }))
  expect([out.status, out.headers.get('set-cookie')]).toEqual([200, expect.stringContaining('Max-Age=0')])
  expect((await fetch(`${daemon.url}/auth/me`, { headers: { cookie } })).status).toBe(401)
  expect(
    (await fetch(`${daemon.url}/logout`, form({}, { cookie: await signedIn(), 'sec-fetch-site': 'cross-site' })))
      .status,
  ).toBe(403)
})

describe('a device', () => {
  const begin = async () => {
    const answer = await fetch(`${daemon.url}/auth/device`, { method: 'POST', headers: { 'user-agent': 'lamp <b>' } })
    return (await answer.json()) as { device_code: string; user_code: string }
  }
  const poll = async (code: string) => {
    const answer = await fetch(`${daemon.url}/auth/device/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: code }),
    })
    return (await answer.json()) as Record<string, unknown>
  }

  test('leads to the login page first, and back', async () => {
    const answer = await fetch(`${daemon.url}/device?user_code=ABCD-EFGH`, { redirect: 'manual' })
    expect(answer.headers.get('location')).toBe('/login?return_to=%2Fdevice%3Fuser_code%3DABCD-EFGH')
  })

  test.each([
    { decision: 'approve', gets: { token_type: 'Bearer' } },
    { decision: 'deny', gets: { error: 'access_denied' } },
  ])('is shown and decided on: $decision', async ({ decision, gets }) => {
    const cookie = await signedIn()
    const { device_code: code, user_code: userCode } = await begin()
    const shown = await fetch(`${daemon.url}/device?user_code=${userCode}`, { headers: { cookie } })
    const text = await shown.text()
    expect(text).toContain(userCode)
    expect(text).toContain('lamp &#60;b&#62;')
    const decided = await fetch(
      `${daemon.url}/device`,
      form({ user_code: userCode, decision }, { cookie, 'sec-fetch-site': 'same-origin' }),
    )
    expect(decided.status).toBe(200)
    expect(await poll(code)).toMatchObject(gets)
  })

  test('that is unknown is said so, in the page', async () => {
    const answer = await fetch(`${daemon.url}/device?user_code=BBBB-BBBB`, { headers: { cookie: await signedIn() } })
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain('no device waits with this code')
  })
})
