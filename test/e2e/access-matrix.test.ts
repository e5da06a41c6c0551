import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROLES, type Role, SCOPES_OF_ROLE } from '../../schemas/words/roles.ts'
import { SCOPES, type Scope } from '../../schemas/words/scopes.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { isLong, someOf } from '../support/effort.ts'
import { type RunningProvider, startIdentityProvider } from '../support/identity-providers.ts'
import { type Documented, openApiOf } from '../support/openapi.ts'
import { addProvider, letDeviceIn, signInBy } from '../support/signed-in-person.ts'

/** Who asks. `scopes` null: nobody, or somebody whose credential does not count. */
type Asker = {
  readonly name: string
  readonly credential: string | null
  readonly scopes: ReadonlySet<Scope> | null
  readonly kind: 'key' | 'session' | 'device'
}

/** Where a credential is put, and what is sent then. */
const PLACES: Readonly<Record<string, (credential: string) => { headers?: Record<string, string>; query?: string }>> = {
  Bearer: (credential) => ({ headers: { authorization: `Bearer ${credential}` } }),
  'x-api-key': (credential) => ({ headers: { 'x-api-key': credential } }),
  'api-key': (credential) => ({ headers: { 'api-key': credential } }),
  'x-goog-api-key': (credential) => ({ headers: { 'x-goog-api-key': credential } }),
  '?key=': (credential) => ({ query: `key=${encodeURIComponent(credential)}` }),
  cookie: (credential) => ({ headers: { cookie: `se_session=${credential}`, 'sec-fetch-site': 'same-origin' } }),
  Basic: (credential) => ({ headers: { authorization: `Basic ${btoa(`admin:${credential}`)}` } }),
}
/** Where a credential is not looked for: a session may be wherever a key is, and in its cookie. */
const NOT_FOR = {
  key: new Set(['cookie', 'Basic']),
  device: new Set(['cookie', 'Basic']),
  session: new Set(['Basic']),
} as const
/** A page says itself that a sign-in did not work, and a route that nobody can sign in in this way. */
const isDenied = (status: number, code: string) =>
  (status === 401 || status === 403) && code !== 'SIGN_IN_REFUSED' && code !== 'PAGE'

let daemon: Daemon
let api: Awaited<ReturnType<typeof openApiOf>>
const NOBODY: Asker = { name: 'nobody', credential: null, scopes: null, kind: 'key' }
const askers: Asker[] = [NOBODY]

beforeAll(async () => {
  daemon = await startDaemon({
    GATE_AUTH__TOKEN: 'the-system-token-of-the-matrix',
    GATE_AUTH__MODE: '["token","password"]',
  })
  api = await openApiOf(daemon.url)
  for (const scope of SCOPES) {
    const { token } = await makeKey([scope])
    askers.push({ name: `a key with ${scope}`, credential: token, scopes: new Set([scope]), kind: 'key' })
  }
  const revoked = await makeKey(['admin'])
  await onSocket('DELETE', `/v1/tokens/${revoked.id}`)
  const expired = await makeKey(['admin'], '1ms')
  askers.push({ name: 'a revoked key', credential: revoked.token, scopes: null, kind: 'key' })
  askers.push({ name: 'an expired key', credential: expired.token, scopes: null, kind: 'key' })
  askers.push({ name: 'an unknown key', credential: 'gate_unknown', scopes: null, kind: 'key' })
  askers.push({ name: 'the system token', credential: daemon.key, scopes: new Set(SCOPES), kind: 'key' })
  for (const role of ROLES) {
    const person = await makePerson(role, role)
    if (person === null) break
    askers.push({
      name: `a signed-in ${role}`,
      credential: person.session,
      scopes: SCOPES_OF_ROLE[role],
      kind: 'session',
    })
  }
  const gone = await makePerson('gone', 'admin')
  if (gone === null) return
  await onSocket('PATCH', `/api/admin/users/${gone.id}`, { disabled: true })
  askers.push({ name: 'somebody who was disabled', credential: gone.session, scopes: null, kind: 'session' })
})
afterAll(async () => {
  await daemon.stop()
  daemon.remove()
})

/** What a cell has to be: let through, whatever becomes of it then, or refused with this status. */
function expected({ scope }: Documented, { scopes, kind }: Asker, place: string): 'through' | 401 | 403 {
  if (scope === 'public') return 'through'
  if (scopes === null || NOT_FOR[kind].has(place)) return 401
  if (scope === 'person') return kind === 'key' ? 403 : 'through'
  if (scope === 'signed-in' || scopes.has('admin') || scopes.has(scope)) return 'through'
  return scope === 'chat:read' && scopes.has('chat:write') ? 'through' : 403
}

test('every route declares who may use it', () => {
  expect(api.routes.length).toBeGreaterThan(60)
  for (const { method, path, scope } of api.routes)
    expect([...SCOPES, 'person', 'signed-in', 'public'], `${method} ${path}`).toContain(scope)
})

/** What anybody may ask; all of it, or less where a way to sign in is not built in. */
const OPEN_TO_ALL: ReadonlySet<string> = new Set([
  'GET /',
  'GET /.well-known/oauth-authorization-server',
  'GET /api/hello',
  'GET /api/openapi.json',
  'GET /auth/callback',
  'GET /auth/login',
  'GET /auth/passkeys.js',
  'GET /auth/providers',
  'GET /device',
  'GET /health',
  'GET /login',
  'GET /logout',
  'GET /ready',
  'POST /auth/device',
  'POST /auth/device/token',
  'POST /auth/login',
  'POST /auth/passkey',
  'POST /auth/passkey/options',
  'POST /auth/revoke',
  'POST /login',
  'POST /oauth/device_authorization',
  'POST /oauth/token',
])

test('what anybody may ask is this alone', () => {
  const open = api.routes.filter(({ scope }) => scope === 'public').map(({ method, path }) => `${method} ${path}`)
  expect(open.filter((one) => !OPEN_TO_ALL.has(one))).toEqual([])
})

/** Each route with each caller at each place; a sample has every route with every caller, each at another place. */
async function wrongCells(url: string, callers: readonly Asker[], nth = 1): Promise<readonly string[]> {
  const cells = someOf(api.routes, nth).flatMap((route, at) =>
    callers.flatMap((asker, turn) =>
      Object.keys(PLACES)
        .filter((_, index) => isLong || index === (at + turn) % Object.keys(PLACES).length)
        .map((place) => ({ route, asker, place })),
    ),
  )
  const wrong: string[] = []
  await inTurns(cells, async ({ route, asker, place }) => {
    const { status, code, faults } = await ask(url, route, place, asker.credential)
    const wanted = expected(route, asker, place)
    const found = isDenied(status, code) ? status : 'through'
    if (found !== wanted || faults.length > 0)
      wrong.push(`${route.method} ${route.path} by ${asker.name} in ${place}: ${status} ${code} ${faults.join('; ')}`)
  })
  return wrong
}

test('no cell of route, caller and place lets through, or refuses, another one than it should', async () => {
  expect(await wrongCells(daemon.url, askers)).toEqual([])
})

describe('with auth.mode oidc and device', () => {
  let other: Daemon
  let provider: RunningProvider
  const people: Asker[] = [NOBODY]
  beforeAll(async () => {
    other = await startDaemon({
      GATE_AUTH__TOKEN: 'the-system-token-of-the-matrix',
      GATE_AUTH__MODE: '["oidc","device"]',
    })
    provider = await startIdentityProvider([`${other.url}/auth/callback`], (name) => ({ groups: [name] }))
    const groups = [...ROLES.map((role) => ({ group: role, role })), { group: 'gone', role: 'admin' }]
    const id = await addProvider(other, provider.issuer, { claim: 'groups', groups, otherwise: 'none' })
    for (const role of ROLES) {
      const cookie = await signInBy(other, id, role)
      const scopes = SCOPES_OF_ROLE[role]
      people.push({ name: `a ${role} of a provider`, credential: tokenIn(cookie), scopes, kind: 'session' })
      const { access_token: token } = await letDeviceIn(other, cookie)
      people.push({ name: `a device of a ${role}`, credential: token, scopes, kind: 'device' })
    }
    const cookie = await signInBy(other, id, 'admin')
    for (const scope of ['chat:read', 'chat:write', 'config:read'] as const) {
      const { access_token: token } = await letDeviceIn(other, cookie, scope)
      const scopes = new Set([scope])
      people.push({ name: `a device of an admin with ${scope}`, credential: token, scopes, kind: 'device' })
    }
    const given = await letDeviceIn(other, cookie)
    await fetch(`${other.url}/auth/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ token: given.refresh_token }),
    })
    people.push({ name: 'a device that signed out', credential: given.access_token, scopes: null, kind: 'device' })
    people.push({ name: 'a refresh token', credential: given.refresh_token, scopes: null, kind: 'device' })
    const gone = await signInBy(other, id, 'gone')
    const device = await letDeviceIn(other, gone)
    await disable(other, 'gone')
    people.push({ name: 'a disabled person', credential: tokenIn(gone), scopes: null, kind: 'session' })
    people.push({ name: 'their device', credential: device.access_token, scopes: null, kind: 'device' })
  })
  afterAll(async () => {
    await Promise.all([other.stop(), provider.stop()])
    other.remove()
  })

  test('no cell of route, caller and place lets through, or refuses, another one than it should', async () => {
    expect(people.filter(({ credential }) => credential === '' || credential === undefined)).toEqual([])
    expect(await wrongCells(other.url, people, 3)).toEqual([])
  })
})

const tokenIn = (cookie: string): string => cookie.replace('se_session=', '')

async function disable({ url, key }: Daemon, name: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const { users } = (await (await fetch(`${url}/api/admin/users`, { headers })).json()) as {
    users: { id: string; name: string }[]
  }
  const id = users.find((user) => user.name === name)?.id
  const body = '{"disabled":true}'
  await fetch(`${url}/api/admin/users/${id}`, { method: 'PATCH', headers, body })
}

describe('with auth.mode none', () => {
  let open: Daemon
  beforeAll(async () => {
    open = await startDaemon({ GATE_AUTH__MODE: 'none' })
  })
  afterAll(async () => {
    await open.stop()
    open.remove()
  })

  test('every route is open to this host', async () => {
    const wrong: string[] = []
    await inTurns(api.routes, async (route) => {
      const { status, code } = await ask(open.url, route, 'Bearer', null)
      if (isDenied(status, code) && route.scope !== 'person')
        wrong.push(`${route.method} ${route.path}: ${status} ${code}`)
    })
    expect(wrong).toEqual([])
  })
})

describe('a page of another site', () => {
  const cookie = () => `se_session=${askers.find(({ name }) => name === 'a signed-in admin')?.credential}`
  const changing = () => api.routes.filter(({ method, scope }) => method !== 'GET' && scope !== 'public')

  test.each([
    { title: 'says so', headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } },
    {
      title: 'of a sister domain says so',
      headers: { 'sec-fetch-site': 'same-site', origin: 'https://evil.example.org' },
    },
    { title: 'that is opaque', headers: { origin: 'null' } },
    { title: 'in a browser that says nothing', headers: {} },
  ])('$title, and changes nothing with the cookie of a session', async ({ headers }) => {
    if (!askers.some(({ kind }) => kind === 'session')) return // nobody can sign in
    const wrong: string[] = []
    await inTurns(changing(), async (route) => {
      const answer = await fetch(daemon.url + route.path.replace(/\{\w+\}/g, 'nothing-here'), {
        method: route.method,
        headers: { ...headers, cookie: cookie(), 'content-type': 'application/json' },
        body: '{"nothing":"here"}',
      })
      const text = await answer.text()
      if (answer.status !== 403 || !text.includes('does not come from a page of this gateway'))
        wrong.push(`${route.method} ${route.path}: ${text}`)
    })
    expect(wrong).toEqual([])
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'sends %s, which needs no leave to be sent, and no route of operators or users takes it',
    async (type) => {
      if (!askers.some(({ kind }) => kind === 'session')) return // nobody can sign in
      const own = changing().filter(({ path }) => path.startsWith('/api/'))
      const wrong: string[] = []
      await inTurns(own, async (route) => {
        const answer = await fetch(daemon.url + route.path.replace(/\{\w+\}/g, 'nothing-here'), {
          method: route.method,
          headers: { cookie: cookie(), 'sec-fetch-site': 'same-origin', 'content-type': type },
          body: '{"nothing":"here"}',
        })
        await answer.text()
        if (![400, 415].includes(answer.status)) wrong.push(`${route.method} ${route.path}: ${answer.status}`)
      })
      expect(wrong).toEqual([])
    },
  )
})

/** Nothing comes of what is sent: no route takes such a body, and there is nothing of this name. */
async function ask(url: string, route: Documented, place: string, credential: string | null) {
  const { headers = {}, query = '' } = credential === null ? {} : (PLACES[place]?.(credential) ?? {})
  const path = route.path.replace(/\{\w+\}/g, 'nothing-here')
  const body = route.method === 'GET' ? {} : { body: '{"nothing":"here"}' }
  const type = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}${path}?${query}`, {
    method: route.method,
    redirect: 'manual',
    headers: { ...headers, ...(route.method !== 'GET' && type) },
    ...body,
  })
  const media = answer.headers.get('content-type') ?? ''
  if (media.startsWith('text/event-stream')) {
    await answer.body?.cancel()
    return { status: answer.status, code: '', faults: [] }
  }
  const text = await answer.text()
  const faults = route.isApi ? api.faults(route, answer.status, media, text) : []
  const code = media.startsWith('text/html') ? 'PAGE' : (/"code":"([A-Z_]+)"/.exec(text)?.[1] ?? '')
  return { status: answer.status, code, faults }
}

async function inTurns<T>(all: readonly T[], each: (one: T) => Promise<void>): Promise<void> {
  const queue = [...all]
  const worker = async () => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) await each(next)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

async function makePerson(name: string, role: Role): Promise<{ id: string; session: string } | null> {
  const password = `the-password-of-${name}`
  const made = JSON.parse(await onSocket('POST', '/api/admin/users', { name, role, password })) as {
    id: string
    code?: string
  }
  if (made.code === 'SIGN_IN_REFUSED') return null
  const answer = await fetch(`${daemon.url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: name, password }),
  })
  const { token } = (await answer.json()) as { token: string } // its shape is tested elsewhere
  return { id: made.id, session: token }
}

async function makeKey(scopes: readonly Scope[], expires_in?: string): Promise<{ id: string; token: string }> {
  const body = { name: scopes.join(), scopes, ...(expires_in !== undefined && { expires_in }) }
  return JSON.parse(await onSocket('POST', '/v1/tokens', body)) as { id: string; token: string } // its shape is tested elsewhere
}

function onSocket(method: string, path: string, body?: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const socketPath = join(daemon.stateDirectory, 'admin.sock')
    const sent = request({ socketPath, method, path, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
    sent.once('error', reject)
    sent.end(body === undefined ? '' : JSON.stringify(body))
  })
}
