// Signing in by password over a real socket: cookies, other sites, and what an end of a session reaches.
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHasher } from '../../daemon/auth/password/hasher.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { type FakeUpstream, frame, STREAM_HEADERS, startFakeUpstream, upstreamEnv } from '../support/fake-upstream.ts'

const PASSWORD = 'correct horse battery'

let upstream: FakeUpstream
let gate: Daemon
beforeAll(async () => {
  upstream = await startFakeUpstream((_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'first' }))
  })
  gate = await startDaemon({
    ...upstreamEnv('mock', upstream.url),
    GATE_AUTH__MODE: 'password',
    GATE_AUTH__TOKEN: 'a-system-token-of-the-test',
    GATE_SERVER__EXTERNAL_URL: 'https://ai.example.org',
  })
  await call('POST', '/api/admin/users', { name: 'ada', role: 'member', password: PASSWORD }, bearer(gate.key))
})
afterAll(async () => {
  await gate.kill()
  gate.remove()
  await upstream.close()
})

type Headers = Readonly<Record<string, string>>
const bearer = (key: string): Headers => ({ authorization: `Bearer ${key}` })
const OWN = { 'sec-fetch-site': 'same-origin' }

function call(method: string, path: string, body?: object, headers: Headers = {}): Promise<Response> {
  return fetch(gate.url + path, {
    method,
    redirect: 'manual',
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

/** @returns the cookie that the browser would send */
async function signIn(username = 'ada'): Promise<{ readonly cookie: string; readonly token: string }> {
  const response = await call('POST', '/auth/login', { username, password: PASSWORD })
  const { token } = (await response.json()) as { token: string }
  const [set = ''] = response.headers.getSetCookie()
  expect(set).toMatch(/^se_session=gate_session_[\w-]{43}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Lax$/)
  return { cookie: set.split(';')[0] ?? '', token }
}

const statusOf = async (answer: Promise<Response>): Promise<number> => (await answer).status
const CHAT = { model: 'mock', stream: true, messages: [] }

test('a session in a cookie acts for pages of the gateway alone; its token as a Bearer token for whoever has it (S12)', async () => {
  const { cookie, token } = await signIn()
  const me = await call('GET', '/auth/me', undefined, { cookie })
  expect(await me.json()).toMatchObject({ via: 'session', user: { name: 'ada', role: 'member' } })
  const make = (headers: Headers) =>
    statusOf(call('POST', '/api/user/tokens', { name: 'k', scopes: ['chat:write'] }, headers))
  expect(await make({ cookie })).toBe(403)
  expect(await make({ cookie, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' })).toBe(403)
  expect(await make({ cookie, 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' })).toBe(403)
  expect(await make({ cookie, origin: 'null' })).toBe(403)
  expect(await make({ cookie, ...OWN })).toBe(201)
  expect(await make({ cookie, origin: 'https://ai.example.org' })).toBe(201)
  expect(await make(bearer(token))).toBe(201)
  expect(await make({ ...bearer(token), cookie })).toBe(201)
  expect(await make({ ...bearer(gate.key), cookie })).toBe(401)
})

test('no other site makes a browser ask a model, or read, by a cookie', async () => {
  const { cookie } = await signIn()
  const foreign = { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
  const asked = upstream.seen.length
  expect(await statusOf(call('POST', '/v1/chat/completions', CHAT, foreign))).toBe(403)
  expect(await statusOf(call('GET', '/v1/models', undefined, foreign))).toBe(403)
  const form = { ...foreign, 'content-type': 'text/plain', origin: 'https://evil.example' }
  expect(await statusOf(call('POST', '/v1/chat/completions', CHAT, form))).toBe(403)
  expect(await statusOf(call('POST', '/auth/logout', undefined, { ...foreign, 'x-http-method-override': 'GET' }))).toBe(
    403,
  )
  expect(upstream.seen.length).toBe(asked)
})

test('S13: a session counts under no host name that is not the gateway’s, whatever the cookie', async () => {
  const { cookie, token } = await signIn()
  const ask = (host: string, headers: Headers) =>
    new Promise<number | undefined>((resolve, reject) => {
      request(`${gate.url}/auth/me`, { headers: { host, ...headers } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .once('error', reject)
        .end()
    })
  const hosts = ['evil.example', 'localhost.evil.example', 'ai.example.org', 'localhost', new URL(gate.url).host]
  const said = await Promise.all(hosts.map((host) => ask(host, { cookie, ...OWN })))
  expect(said).toEqual([421, 421, 200, 200, 200])
  expect(await ask('evil.example', bearer(token))).toBe(200) // what no browser adds by itself
})

test('a login takes JSON alone, and tells nothing apart', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  expect(await statusOf(call('POST', '/auth/login', { username: 'ada', password: PASSWORD }, form))).toBe(415)
  const said = await Promise.all(
    [
      { username: 'ada', password: 'wrong password' },
      { username: 'nobody', password: PASSWORD },
    ].map(async (body) => {
      const response = await call('POST', '/auth/login', body)
      return [response.status, await response.json(), response.headers.getSetCookie()]
    }),
  )
  expect(said[0]).toEqual(said[1])
  expect(said[0]?.[0]).toBe(401)
})

const setPasswordHash = (value: string) =>
  call('PUT', '/api/admin/config/keys/auth.password_hash', { value }, bearer(gate.key))

test.each<{ what: string; by?: string; take: (cookie: string) => Promise<Response> }>([
  { what: 'a sign-out', take: (cookie: string) => call('POST', '/auth/logout', undefined, { cookie, ...OWN }) },
  {
    what: 'a new password',
    take: async () => {
      const { users } = (await (await call('GET', '/api/admin/users', undefined, bearer(gate.key))).json()) as {
        users: { id: string; name: string }[]
      }
      const id = users.find(({ name }) => name === 'ada')?.id
      return call('PATCH', `/api/admin/users/${id}`, { password: PASSWORD }, bearer(gate.key))
    },
  },
  {
    what: 'another auth.password_hash',
    by: 'admin',
    take: async () => setPasswordHash(await createHasher().hash('another password')),
  },
])('$what ends what is being answered to the session, and the session', async ({ take, by }) => {
  if (by === 'admin') await setPasswordHash(await createHasher().hash(PASSWORD))
  const { cookie } = await signIn(by)
  const response = await call('POST', '/v1/chat/completions', CHAT, { cookie, ...OWN })
  let received = ''
  const text = (async () => {
    for await (const chunk of response.body ?? []) received += Buffer.from(chunk as Uint8Array).toString()
    return received
  })()
  await until(() => received.includes('first'))
  expect((await take(cookie)).status).toBe(200)
  expect(await text).toContain('the session was ended')
  expect(await statusOf(call('GET', '/auth/me', undefined, { cookie }))).toBe(401)
})

test('a session outlives kill -9 of the daemon, but not a start without "password" in auth.mode', async () => {
  const { cookie } = await signIn()
  const refreshed = await call('POST', '/auth/refresh', undefined, { cookie, ...OWN })
  const { token } = (await refreshed.json()) as { token: string }
  expect(await statusOf(call('GET', '/auth/me', undefined, { cookie }))).toBe(401)
  for (const [mode, status] of [
    ['password', 200],
    ['token', 401],
    ['password', 401],
  ] as const) {
    await gate.kill()
    gate = await startDaemon({ GATE_AUTH__MODE: mode, GATE_AUTH__TOKEN: gate.key }, gate.stateDirectory)
    expect(await statusOf(call('GET', '/auth/me', undefined, bearer(token)))).toBe(status)
  }
})
