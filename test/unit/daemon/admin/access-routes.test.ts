import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openConfig } from '../../../../config/open-config.ts'
import { dispatch } from '../../../../daemon/admin/dispatch.ts'
import { problemOf } from '../../../../daemon/admin/error.ts'
import type { ApiRoute, Caller } from '../../../../daemon/admin/route.ts'
import { authRoutes } from '../../../../daemon/admin/routes/auth.ts'
import { deviceRoutes } from '../../../../daemon/admin/routes/device.ts'
import { keyRoutes } from '../../../../daemon/admin/routes/keys.ts'
import { ownRoutes } from '../../../../daemon/admin/routes/own.ts'
import { teamRoutes } from '../../../../daemon/admin/routes/teams.ts'
import { userRoutes } from '../../../../daemon/admin/routes/users.ts'
import { SOCKET_PRINCIPAL } from '../../../../daemon/admin/socket-principal.ts'
import { createApiTable } from '../../../../daemon/admin/table.ts'
import { addressList } from '../../../../daemon/admit/address.ts'
import { peopleParts } from '../../../../daemon/assembly/people.ts'
import type { AuditEntry } from '../../../../daemon/audit/entry.ts'
import { type Access, createAccess } from '../../../../daemon/auth/access.ts'
import { createSignIns, type SignIns } from '../../../../daemon/auth/device/sign-ins.ts'
import { SERVICE_KEY } from '../../../../daemon/auth/key-record.ts'
import { ANYBODY, type Principal } from '../../../../daemon/auth/principal.ts'
import type { Role } from '../../../../schemas/words/roles.ts'
import { SCOPES, type Scope } from '../../../../schemas/words/scopes.ts'
import { openAccessStore } from '../../../../store/sqlite/access-store.ts'
import { type Database, openDatabase } from '../../../../store/sqlite/database.ts'
import { signInParts } from '../../../support/sign-in-parts.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const HTTPS: Caller = { address: '203.0.113.7', via: 'https', name: 'x', secured: true }
const HTTP: Caller = { ...HTTPS, via: 'http', secured: false }
const FROM = { via: 'password', idp: null, address: '', agent: '' }
const SOCKET: Caller = { address: null, via: 'socket', name: 'admin socket', secured: true }

let directory: ReturnType<typeof temporaryDirectory>
let database: Database
let access: Access
let table: ReturnType<typeof createApiTable>
let config: ReturnType<typeof openConfig>
let audited: AuditEntry[]
let signIns: SignIns
let passkeysOf: Map<string, string>
const routes: ApiRoute[] = []

beforeEach(() => {
  directory = temporaryDirectory()
  database = openDatabase(directory.file('gate.db'))
  const log = () => {}
  access = createAccess(openAccessStore(database), { now: Date.now, steady: () => 0, rangesOf: addressList, log })
  config = openConfig({
    env: {},
    stateDirectory: directory.path,
    declaredFile: undefined,
    credentialsDirectory: undefined,
    log,
  })
  config.onChange(({ auth }) => access.tokens.setSystemToken(auth.token))
  audited = []
  const parts = peopleParts(
    { config, now: Date.now },
    { access },
    {
      verifyPassword: async (username = 'admin', password) =>
        password === 'right' ? (access.users.named(username)?.id ?? null) : null,
      hashPassword: async (password) => `hash of ${password}`,
      takesPasswords: () => true,
    },
  )
  routes.splice(0)
  signIns = createSignIns(
    { all: () => [], put: () => {}, remove: () => {} },
    { principalOf: (id, signIn) => access.personOf(id, 'access-token', signIn), emailOf: () => null },
    { secret: 'a secret of the tests', issuer: 'gate' },
    Date.now,
  )
  passkeysOf = new Map()
  const passkeys = { removeAllOf: (id: string) => (passkeysOf.delete(id) ? 1 : 0) }
  for (const make of [authRoutes, keyRoutes, ownRoutes, teamRoutes, userRoutes])
    routes.push(...make(parts, signIns, passkeys))
  routes.push(...deviceRoutes({ ...signInParts(), signIns }, access.requireWholePerson))
  table = createApiTable(routes)
})
afterEach(() => {
  database.close()
  directory.remove()
})

type Asked = { readonly as?: Principal; readonly body?: unknown; readonly caller?: Caller }

/** What a route says, without the check of the scope, which is the gateway's. */
async function ask(name: string, { as = SOCKET_PRINCIPAL, body, caller = HTTPS }: Asked = {}) {
  const [method = '', path = ''] = name.split(' ')
  const route = table.find(method, path)
  const call = {
    principal: as,
    path,
    search: '',
    body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    headers: { 'content-type': 'application/json', 'user-agent': 'a browser' },
    caller,
    signal: AbortSignal.abort(),
  }
  const audit = { require: () => {}, record: (entry: AuditEntry) => void audited.push(entry) }
  try {
    const reply = await dispatch(route, call, audit)
    if (reply.kind !== 'json') throw new Error('not JSON')
    if (route.answer instanceof Object)
      expect(() => (route.answer as { parse(v: unknown): void }).parse(reply.value)).not.toThrow()
    return { ok: true as const, value: reply.value as Record<string, string>, headers: reply.headers }
  } catch (error) {
    const { code, status, detail } = problemOf(error)
    return { ok: false as const, code, status, detail }
  }
}
async function value(name: string, asked: Asked = {}): Promise<Record<string, string>> {
  const answer = await ask(name, asked)
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.detail}`)
  return answer.value
}

/** A person who is signed in. */
function person(name: string, role: Role) {
  const user = access.users.create({ name, role })
  const { token, session } = access.sessions.create({ ...FROM, userId: user.id })
  return { user, session, token, as: access.sessions.find(token) ?? ANYBODY }
}

describe('keys of one’s own', () => {
  test('are made, listed, rotated and revoked; another person sees none of it (S10)', async () => {
    const ada = person('ada', 'member')
    const eve = person('eve', 'admin')
    const {
      id = '',
      token = '',
      owner,
    } = await value('POST /api/user/tokens', {
      as: ada.as,
      body: { name: 'laptop', scopes: ['chat:write'] },
    })
    expect(owner).toEqual({ id: ada.user.id, name: 'ada' })
    expect(access.tokens.find(token)).toMatchObject({ userId: ada.user.id, keyId: id })
    expect(await value('GET /api/user/tokens', { as: ada.as })).toMatchObject({ keys: [{ id, state: 'valid' }] })
    expect(await value('GET /api/user/tokens', { as: eve.as })).toEqual({ keys: [] })
    for (const route of [`DELETE /api/user/tokens/${id}`, `POST /api/user/tokens/${id}/rotate`]) {
      const foreign = await ask(route, { as: eve.as })
      const absent = await ask(route.replace(id, 'absent'), { as: eve.as })
      expect({ ...foreign, detail: '' }).toEqual({ ...absent, detail: '' })
      expect(foreign).toMatchObject({ status: 404, code: 'TOKEN_NOT_FOUND' })
      if (!foreign.ok && !absent.ok) expect(foreign.detail.replace(id, 'absent')).toBe(absent.detail)
    }
    const rotated = await value(`POST /api/user/tokens/${id}/rotate`, { as: ada.as, body: { overlap: '0s' } })
    expect([token, rotated['token'] ?? ''].map((text) => access.tokens.find(text) !== null)).toEqual([false, true])
    await value(`DELETE /api/user/tokens/${id}`, { as: ada.as })
    expect(await ask(`DELETE /api/user/tokens/${id}`, { as: ada.as })).toMatchObject({ code: 'TOKEN_NOT_FOUND' })
  })

  test.each([
    { name: 'a scope that they do not have', body: { name: 'k', scopes: ['admin'] }, code: 'BEYOND_MAKER' },
    {
      name: 'one that they do, and one that they do not',
      body: { name: 'k', scopes: ['chat:write', 'config:read'] },
      code: 'BEYOND_MAKER',
    },
    ...[
      'owner',
      'owner_id',
      'ownerId',
      'team',
      'maker',
      'budgets',
      'limits',
      'names_users',
      'id',
      'hash',
      'revoked_at',
      'service',
    ].map((field) => ({
      name: `the field ${field}`,
      body: {
        name: 'k',
        scopes: ['chat:write'],
        [field]: field === 'names_users' || field === 'service' ? true : ['x'],
      },
      code: 'BAD_REQUEST',
    })),
  ])('S7: a member asks for $name: $code', async ({ body, code }) => {
    expect(await ask('POST /api/user/tokens', { as: person('ada', 'member').as, body })).toMatchObject({ code })
    expect(access.tokens.list()).toEqual([])
  })

  test('a key makes no keys, unless it is an administrator’s; it may give itself another text', async () => {
    const ada = person('ada', 'admin')
    const made = await value('POST /api/user/tokens', { as: ada.as, body: { name: 'k', scopes: ['chat:write'] } })
    const as = access.tokens.find(made['token'] ?? '') ?? ANYBODY
    const body = { name: 'child', scopes: ['chat:write'] }
    expect(await ask('POST /api/user/tokens', { as, body })).toMatchObject({ code: 'MISSING_SCOPE' })
    const other = await value('POST /api/user/tokens', { as: ada.as, body })
    expect(await ask(`POST /api/user/tokens/${other['id']}/rotate`, { as })).toMatchObject({ code: 'MISSING_SCOPE' })
    expect((await ask(`POST /api/user/tokens/${made['id']}/rotate`, { as })).ok).toBe(true)
    await value(`PATCH /api/admin/keys/${made['id']}`, { body: { scopes: ['admin'] } })
    const child = await value('POST /api/user/tokens', { as: access.tokens.find(made['token'] ?? '') ?? ANYBODY, body })
    expect(child).toMatchObject({ maker: { kind: 'key', id: made['id'] }, owner: { name: 'ada' } })
  })

  test.each<{ name: string; scopes: Scope[] | null; code: string }>([
    { name: 'chat:read alone', scopes: ['chat:read'], code: 'MISSING_SCOPE' },
    { name: 'nothing', scopes: [], code: 'MISSING_SCOPE' },
    { name: 'all but admin', scopes: SCOPES.filter((scope) => scope !== 'admin'), code: 'MISSING_SCOPE' },
    { name: 'admin', scopes: ['admin'], code: 'ok' },
    { name: 'all that the person may', scopes: null, code: 'ok' },
  ])('S7: a device that was let in with $name gets no other rights by keys: $code', async ({ scopes, code }) => {
    const ada = person('ada', 'admin')
    const whole = access.personOf(ada.user.id, 'access-token', 'a-sign-in') ?? ANYBODY
    const as = scopes === null ? whole : { ...whole, scopes: new Set(scopes) }
    const make = (body: object) => value('POST /api/user/tokens', { as: ada.as, body })
    const key = await make({ name: 'k', scopes: ['admin'] })
    const other = await make({ name: 'other', scopes: ['chat:read'] })
    const { session } = access.sessions.create({ ...FROM, userId: ada.user.id })
    const said = [
      await ask('POST /api/user/tokens', { as, body: { name: 'child', scopes: ['chat:read'] } }),
      await ask(`POST /api/user/tokens/${key['id']}/rotate`, { as }),
      await ask(`DELETE /api/user/tokens/${other['id']}`, { as }),
      await ask(`DELETE /api/user/sessions/${session.id}`, { as }),
    ]
    expect(said.map((one) => (one.ok ? 'ok' : one.code))).toEqual(said.map(() => code))
  })

  test.each([
    { models: undefined, code: 'BEYOND_MAKER' },
    { models: ['b'], code: 'BEYOND_MAKER' },
    { models: ['a'], code: 'ok' },
  ])('S7: an admin key for the model a rotates a key for $models: $code', async ({ models, code }) => {
    const ada = person('ada', 'admin')
    const made = await value('POST /api/user/tokens', {
      as: ada.as,
      body: { name: 'k', scopes: ['admin'], models: ['a'] },
    })
    const key = await value('POST /api/user/tokens', { as: ada.as, body: { name: 'o', scopes: ['chat:read'], models } })
    const as = access.tokens.find(made['token'] ?? '') ?? ANYBODY
    const said = await ask(`POST /api/user/tokens/${key['id']}/rotate`, { as })
    expect(said.ok ? 'ok' : said.code).toBe(code)
  })

  test('a key ends itself, and no other key and no session', async () => {
    const ada = person('ada', 'member')
    const make = () => value('POST /api/user/tokens', { as: ada.as, body: { name: 'k', scopes: ['chat:read'] } })
    const [key, other] = [await make(), await make()]
    const as = access.tokens.find(key['token'] ?? '') ?? ANYBODY
    for (const path of [`tokens/${other['id']}`, `sessions/${ada.session.id}`])
      expect(await ask(`DELETE /api/user/${path}`, { as })).toMatchObject({ code: 'MISSING_SCOPE' })
    expect((await ask(`DELETE /api/user/tokens/${key['id']}`, { as })).ok).toBe(true)
  })

  test('S7: a device with fewer scopes ends itself alone, a session and a device with all of them end each', async () => {
    const ada = person('ada', 'member')
    const bob = person('bob', 'member')
    const letIn = (scope: string | null) => {
      const tokens = signIns.begin(ada.user.id, null, 'a device', scope)
      const as = signIns.find(tokens?.access_token ?? '') ?? ANYBODY
      return { as, end: (by: Principal) => ask(`DELETE /api/user/devices/${as.credentialId}`, { as: by }) }
    }
    const made = await value('POST /api/user/tokens', { as: ada.as, body: { name: 'k', scopes: ['chat:write'] } })
    const key = access.tokens.find(made['token'] ?? '') ?? ANYBODY
    const [narrow, other, whole] = [letIn('chat:read'), letIn('chat:read'), letIn(null)]
    for (const by of [narrow.as, key]) expect(await other.end(by)).toMatchObject({ code: 'MISSING_SCOPE' })
    expect(await other.end(bob.as)).toMatchObject({ code: 'OBJECT_NOT_FOUND' })
    for (const [one, by] of [
      [narrow, narrow.as],
      [other, whole.as],
      [whole, ada.as],
    ] as const)
      expect((await one.end(by)).ok).toBe(true)
    expect(signIns.list(ada.user.id)).toEqual([])
  })

  test.each([
    { overlap: '0s', code: 'BAD_REQUEST' },
    { overlap: '59m', code: 'BAD_REQUEST' },
    { overlap: '1h', code: 'ok' },
    { overlap: undefined, code: 'ok' },
  ])('a key that rotates itself keeps its former text for $overlap: $code', async ({ overlap, code }) => {
    const ada = person('ada', 'member')
    const made = await value('POST /api/user/tokens', { as: ada.as, body: { name: 'k', scopes: ['chat:write'] } })
    const as = access.tokens.find(made['token'] ?? '') ?? ANYBODY
    const said = await ask(`POST /api/user/tokens/${made['id']}/rotate`, { as, body: { overlap } })
    expect(said.ok ? 'ok' : said.code).toBe(code)
    expect(access.tokens.find(made['token'] ?? '')).not.toBeNull()
  })

  test('of one person are a hundred at most, and two hundred a day', async () => {
    const { as } = person('ada', 'member')
    const make = () => ask('POST /api/user/tokens', { as, body: { name: 'k', scopes: ['chat:write'] } })
    for (let n = 0; n < 100; n++) access.tokens.issue({ ...SERVICE_KEY, name: 'k', scopes: [], ownerId: as.userId })
    expect(await make()).toMatchObject({ status: 409, code: 'TOO_MANY_ENTRIES' })
    for (const { id } of access.tokens.list()) access.tokens.revoke(id)
    expect((await make()).ok).toBe(true)
    for (let n = 0; n < 99; n++)
      access.tokens.revoke(access.tokens.issue({ ...SERVICE_KEY, name: 'k', scopes: [], ownerId: as.userId }).record.id)
    expect(await make()).toMatchObject({ code: 'TOO_MANY_ENTRIES' })
  })

  test('a service key has nothing of its own', async () => {
    const { token } = access.tokens.create('service', ['admin'], null)
    const as = access.tokens.find(token) ?? ANYBODY
    for (const route of ['GET /api/user/tokens', 'GET /api/user/sessions', 'DELETE /api/user/sessions/x'])
      expect(await ask(route, { as })).toMatchObject({ code: 'MISSING_SCOPE' })
  })
})

describe('keys, for administrators', () => {
  const UNBOUND = [
    { what: 'a budget that does not exist', named: { budgets: ['own', 'onw'] }, says: 'there is no budget "onw"' },
    { what: 'a limit that does not exist', named: { limits: ['own'] }, says: 'there is no limit "own"' },
    { what: 'a budget of others', named: { budgets: ['reds'] }, says: 'the budget "reds" has the scope team:red' },
    {
      what: 'a name with a meaning in JavaScript',
      named: { budgets: ['constructor'] },
      says: 'no budget "constructor"',
    },
  ]
  test.each(UNBOUND)('are neither made nor changed with $what, which would not bind them', async ({ named, says }) => {
    for (const [name, scope] of [
      ['own', 'attached'],
      ['all', 'global'],
      ['reds', 'team:red'],
    ])
      await config.set(`budgets.${name}`, { limit: '5 USD', window: 'day', scope }, { force: false })
    const { as } = person('ada', 'admin')
    const body = { name: 'k', scopes: ['chat:write'] }
    const made = await value('POST /api/admin/keys', { as, body: { ...body, budgets: ['own', 'all'] } })
    const refused = { code: 'BAD_REQUEST', detail: expect.stringContaining(says) }
    expect(await ask('POST /api/admin/keys', { as, body: { ...body, ...named } })).toMatchObject(refused)
    const id = made['id'] ?? ''
    expect(await ask(`PATCH /api/admin/keys/${id}`, { as, body: named })).toMatchObject(refused)
    expect(access.tokens.list().map(({ budgets, limits }) => [budgets, limits])).toEqual([[['own', 'all'], []]])
  })

  test('have an owner, or are service keys', async () => {
    const ada = person('ada', 'admin')
    person('bob', 'member')
    const team = await value('POST /api/admin/teams', { body: { name: 'red' } })
    await config.set('budgets.b', { limit: '5 USD', window: 'day', scope: 'attached' }, { force: false })
    await config.set('limits.l', { requests_per_minute: 60, scope: 'attached' }, { force: false })
    const body = { name: 'k', scopes: ['chat:write'] }
    const of = (more: object, as = ada.as) => value('POST /api/admin/keys', { as, body: { ...body, ...more } })
    expect(await of({})).toMatchObject({ owner: { name: 'ada' }, maker: { kind: 'user', name: 'ada' } })
    expect(await of({ owner: 'BOB' })).toMatchObject({ owner: { name: 'bob' }, maker: { kind: 'user', name: 'ada' } })
    const service = await of({ service: true, team: 'red', budgets: ['b'], limits: ['l'], addresses: ['10.0.0.0/8'] })
    expect(service).not.toHaveProperty('owner')
    expect(service).toMatchObject({
      team: { id: team['id'] },
      budgets: ['b'],
      limits: ['l'],
      addresses: ['10.0.0.0/8'],
    })
    expect(access.tokens.find(service['token'] ?? '')).toMatchObject({ userId: null, teams: [team['id']] })
    expect(await of({}, SOCKET_PRINCIPAL)).not.toHaveProperty('maker')
    expect(await ask('POST /api/admin/keys', { body: { ...body, scopes: ['admin'], owner: 'bob' } })).toMatchObject({
      code: 'BEYOND_MAKER',
    })
    for (const more of [
      { owner: 'nobody' },
      { team: 'blue' },
      { owner: 'bob', team: 'red' },
      { owner: 'bob', service: true },
    ])
      expect((await ask('POST /api/admin/keys', { body: { ...body, ...more } })).ok).toBe(false)
  })

  test('are changed at once', async () => {
    const made = await value('POST /api/admin/keys', {
      body: { name: 'k', scopes: ['chat:write'], expires_in: '1h', models: ['a'] },
    })
    const change = (body: object) => value(`PATCH /api/admin/keys/${made['id']}`, { body })
    const found = () => access.tokens.find(made['token'] ?? '')
    expect(await change({ scopes: ['chat:read'], name: 'reader', expires_in: null })).not.toHaveProperty('expires_at')
    expect(found()).toMatchObject({ name: 'reader', scopes: new Set(['chat:read']), allowed: { models: ['a'] } })
    await change({ categories: ['code'] })
    expect(found()?.allowed).toEqual({ models: ['a'], categories: ['code'] })
    await change({ pinned: 'one' })
    expect(found()?.allowed).toEqual({ models: ['one'], categories: [], pinned: 'one' })
    await change({ pinned: null })
    expect(found()?.allowed).toBeNull()
    await change({ addresses: ['10.0.0.1'] })
    expect(found()?.addresses?.has('10.0.0.2')).toBe(false)
    expect(await change({ disabled: true })).toMatchObject({ state: 'disabled' })
    expect(found()).toBeNull()
    expect(await change({ disabled: false })).toMatchObject({ state: 'valid' })
    expect(audited.at(-1)).toMatchObject({
      action: 'key.change',
      object: `key:${made['id']}`,
      old: { state: 'disabled' },
      new: { state: 'valid' },
    })
    expect(JSON.stringify(audited)).not.toContain(made['token'])
    expect(await ask(`PATCH /api/admin/keys/${made['id']}`, { body: { owner: 'x' } })).toMatchObject({
      code: 'BAD_REQUEST',
    })
    expect(await ask('PATCH /api/admin/keys/absent', { body: {} })).toMatchObject({ code: 'TOKEN_NOT_FOUND' })
  })

  test('show what is left of their scopes', async () => {
    const ada = person('ada', 'admin')
    const made = await value('POST /api/admin/keys', {
      as: ada.as,
      body: { name: 'k', scopes: ['admin'], service: true },
    })
    await value(`PATCH /api/admin/users/${ada.user.id}`, { caller: SOCKET, body: { role: 'viewer' } })
    expect(await value(`GET /api/admin/keys/${made['id']}`)).toMatchObject({
      scopes: ['admin'],
      effective_scopes: ['chat:read'],
    })
    await value(`DELETE /api/admin/users/${ada.user.id}`, { caller: SOCKET })
    expect(await value(`GET /api/admin/keys/${made['id']}`)).toMatchObject({ state: 'removed' })
  })
})

describe('people', () => {
  test('are added, changed and removed', async () => {
    const body = { name: 'ada', role: 'admin', email: 'ada@example.org', password: 'a long password' }
    const ada = await value('POST /api/admin/users', { body })
    expect(ada).toMatchObject({ name: 'ada', role: 'admin', source: 'local', has_password: true, keys: 0 })
    expect(JSON.stringify([ada, audited])).not.toContain('a long password')
    expect(JSON.stringify([ada, audited])).not.toContain('hash of')
    expect(access.users.named('ada')?.passwordHash).toBe('hash of a long password')
    const bob = await value('POST /api/admin/users', { body: { name: 'bob' } })
    expect(bob).toMatchObject({ role: 'member', has_password: false })
    expect(await ask('POST /api/admin/users', { body: { name: 'BOB' } })).toMatchObject({
      status: 409,
      code: 'NAME_TAKEN',
    })
    for (const wrong of [
      { name: 'a:b' },
      { name: ' a' },
      { name: '' },
      { name: 'x', password: 'short' },
      { name: 'x', id: 'y' },
      { name: 'x', source: 'oidc' },
    ])
      expect(await ask('POST /api/admin/users', { body: wrong })).toMatchObject({ code: 'BAD_REQUEST' })
    expect(
      await value(`PATCH /api/admin/users/${bob['id']}`, { body: { email: 'b@example.org', name: 'Bob' } }),
    ).toMatchObject({ name: 'Bob', email: 'b@example.org' })
    expect(await value(`DELETE /api/admin/users/${bob['id']}`)).toEqual({ id: bob['id'], removed: true })
    expect(await ask(`GET /api/admin/users/${bob['id']}`)).toMatchObject({ code: 'USER_NOT_FOUND' })
  })

  test.each([
    { name: 'removed', how: (id: string) => `DELETE /api/admin/users/${id}`, body: undefined },
    { name: 'disabled', how: (id: string) => `PATCH /api/admin/users/${id}`, body: { disabled: true } },
    { name: 'demoted', how: (id: string) => `PATCH /api/admin/users/${id}`, body: { role: 'member' } },
  ])('the last administrator is not $name over the network, but by the operator of the host', async ({ how, body }) => {
    const { user } = person('ada', 'admin')
    expect(await ask(how(user.id), { body })).toMatchObject({ status: 409, code: 'LAST_ADMIN' })
    person('bob', 'admin')
    expect((await ask(how(user.id), { body })).ok).toBe(true)
    const bob = access.users.named('bob')
    expect((await ask(how(bob?.id ?? ''), { body, caller: SOCKET })).ok).toBe(true)
  })

  test.each([
    {
      name: 'a new password',
      route: (id: string) => `PATCH /api/admin/users/${id}`,
      body: { password: 'another one!' },
    },
    { name: 'an administrator', route: (id: string) => `DELETE /api/admin/users/${id}/sessions`, body: undefined },
    { name: 'logging out everywhere', route: () => 'POST /auth/logout', body: { everywhere: true } },
  ])('$name signs out devices as well, and those of no other person', async ({ route, body }) => {
    const [ada, bob] = [person('ada', 'admin'), person('bob', 'member')]
    const tokens = [ada, bob].map(({ user }) => signIns.begin(user.id, null, 'laptop', null)?.access_token ?? '')
    expect((await ask(route(ada.user.id), { as: ada.as, body })).ok).toBe(true)
    expect(access.sessions.find(ada.token)).toBeNull()
    expect(() => signIns.find(tokens[0] ?? '')).toThrow('the sign-in has ended')
    expect(signIns.find(tokens[1] ?? '')?.userId).toBe(bob.user.id)
  })

  test('an administrator lists the devices of a person, and ends one', async () => {
    const [ada, bob] = [person('ada', 'member'), person('bob', 'member')]
    for (const name of ['laptop', 'phone']) signIns.begin(ada.user.id, null, name, null)
    const list = async () => (await value(`GET /api/admin/users/${ada.user.id}/devices`))['devices']
    expect(await list()).toMatchObject([{ label: 'laptop' }, { label: 'phone' }])
    const [{ id = '' } = {}] = signIns.list(ada.user.id)
    expect(await ask(`DELETE /api/admin/users/${bob.user.id}/devices/${id}`)).toMatchObject({
      code: 'OBJECT_NOT_FOUND',
    })
    expect((await ask(`DELETE /api/admin/users/${ada.user.id}/devices/${id}`)).ok).toBe(true)
    expect(await list()).toMatchObject([{ label: 'phone' }])
    expect(await ask('GET /api/admin/users/absent/devices')).toMatchObject({ code: 'USER_NOT_FOUND' })
  })

  test('two administrators who are demoted at once, each with a new password: one stays', async () => {
    const both = [person('ada', 'admin'), person('bob', 'admin')]
    const body = { role: 'member', password: 'another password' }
    const said = await Promise.all(both.map(({ user }) => ask(`PATCH /api/admin/users/${user.id}`, { body })))
    expect(said.map((one) => (one.ok ? 'ok' : one.code))).toEqual(['ok', 'LAST_ADMIN'])
    expect(access.users.hasAdmin()).toBe(true)
  })

  test('a new password signs out, and takes passkeys away', async () => {
    const ada = person('ada', 'member')
    passkeysOf.set(ada.user.id, 'laptop')
    await value(`PATCH /api/admin/users/${ada.user.id}`, { body: { email: 'ada@example.org' } })
    expect([access.sessions.find(ada.token) !== null, passkeysOf.size]).toEqual([true, 1])
    await value(`PATCH /api/admin/users/${ada.user.id}`, { body: { password: 'another password' } })
    expect([access.sessions.find(ada.token), passkeysOf.size]).toEqual([null, 0])
    expect(audited.at(-1)?.new).toMatchObject({ password: 'another one', passkeys_removed: 1 })
  })

  test('are in teams', async () => {
    const { user, token } = person('ada', 'member')
    const team = await value('POST /api/admin/teams', { body: { name: 'red' } })
    const member = `/api/admin/teams/${team['id']}/members/${user.id}`
    expect(await value(`PUT ${member}`)).toMatchObject({ members: [{ name: 'ada' }] })
    expect(access.sessions.find(token)?.teams).toEqual([team['id']])
    expect(await value(`PATCH /api/admin/teams/${team['id']}`, { body: { name: 'blue' } })).toMatchObject({
      name: 'blue',
    })
    expect(await value(`DELETE ${member}`)).toMatchObject({ members: [] })
    for (const route of [
      `PUT /api/admin/teams/x/members/${user.id}`,
      'GET /api/admin/teams/x',
      'DELETE /api/admin/teams/x',
    ])
      expect(await ask(route)).toMatchObject({ code: 'TEAM_NOT_FOUND' })
    expect(await ask(`PUT /api/admin/teams/${team['id']}/members/x`)).toMatchObject({ code: 'USER_NOT_FOUND' })
  })
})

describe('signing in', () => {
  test.each([
    { caller: HTTPS, name: '__Host-se_session', secure: '; Secure' },
    { caller: HTTP, name: 'se_session', secure: '' },
  ])('over $caller.via sets the cookie $name', async ({ caller, name, secure }) => {
    const { user } = person('ada', 'member')
    const answer = await ask('POST /auth/login', { as: ANYBODY, caller, body: { username: 'ada', password: 'right' } })
    if (!answer.ok) throw new Error(answer.detail)
    expect(answer.value).toMatchObject({ user: { id: user.id, name: 'ada', role: 'member' } })
    const { token } = answer.value
    expect(answer.headers['set-cookie']).toBe(
      `${name}=${token}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax${secure}`,
    )
    expect(access.sessions.find(token ?? '')).toMatchObject({ userId: user.id, via: 'session' })
    expect(access.users.get(user.id)?.signedInAt).not.toBeNull()
    expect(JSON.stringify(audited)).not.toContain(token)
  })

  test('by a password alone is that of the configured name', async () => {
    person('admin', 'admin')
    expect(await value('POST /auth/login', { as: ANYBODY, body: { password: 'right' } })).toMatchObject({
      user: { name: 'admin' },
    })
  })

  test('an unknown name, a wrong password and a disabled person are told alike', async () => {
    const { user } = person('ada', 'member')
    person('bob', 'member')
    access.users.change(user.id, { disabled: true })
    const said = await Promise.all(
      [
        { username: 'ada', password: 'right' },
        { username: 'bob', password: 'wrong' },
        { username: 'nobody', password: 'right' },
      ].map((body) => ask('POST /auth/login', { as: ANYBODY, body })),
    )
    for (const one of said) expect(one).toEqual(said[0])
    expect(said[0]).toMatchObject({ status: 401, code: 'SIGN_IN_REFUSED' })
  })

  test('a session is renewed, shown, and ended', async () => {
    const { as, session, token } = person('ada', 'member')
    expect(await value('GET /auth/me', { as })).toMatchObject({
      user: { name: 'ada' },
      scopes: ['chat:read', 'chat:write'],
      session: { id: session.id },
    })
    const renewed = await value('POST /auth/refresh', { as })
    expect(access.sessions.find(token)).toBeNull()
    expect(access.sessions.find(renewed['token'] ?? '')?.credentialId).toBe(session.id)
    const out = await ask('POST /auth/logout', { as })
    expect(out).toMatchObject({ ok: true, value: { sessions: 0 } })
    if (out.ok) expect(out.headers['set-cookie']).toHaveLength(2)
    expect(access.sessions.find(renewed['token'] ?? '')).toBeNull()
    expect(await ask('POST /auth/refresh', { as })).toMatchObject({ code: 'BAD_REQUEST' })
  })

  test('someone signs out everywhere, or of one place, of their own alone', async () => {
    const ada = person('ada', 'member')
    const bob = person('bob', 'member')
    const other = access.sessions.create({
      userId: ada.user.id,
      via: 'password',
      idp: null,
      address: '10.0.0.1',
      agent: 'x',
    })
    expect(await value('GET /api/user/sessions', { as: ada.as })).toMatchObject({
      sessions: expect.arrayContaining([
        expect.objectContaining({ id: ada.session.id, current: true }),
        expect.objectContaining({ id: other.session.id, current: false }),
      ]),
    })
    expect(await ask(`DELETE /api/user/sessions/${other.session.id}`, { as: bob.as })).toMatchObject({
      status: 404,
      code: 'SESSION_NOT_FOUND',
    })
    expect((await ask(`DELETE /api/user/sessions/${other.session.id}`, { as: ada.as })).ok).toBe(true)
    expect((await ask('POST /auth/logout', { as: ada.as, body: { everywhere: true } })).ok).toBe(true)
    expect(access.sessions.of(ada.user.id)).toEqual([])
    expect(access.sessions.of(bob.user.id)).toHaveLength(1)
    expect(await value(`DELETE /api/admin/users/${bob.user.id}/sessions`)).toEqual({ sessions: 1 })
  })
})

describe('POST /auth/rotate-token', () => {
  test('rotates a key by its name or id', async () => {
    const { record } = access.tokens.create('laptop', ['admin'], null)
    expect(await value('POST /auth/rotate-token', { body: { key: 'laptop' } })).toMatchObject({ id: record.id })
    access.tokens.create('laptop', ['admin'], null)
    expect(await ask('POST /auth/rotate-token', { body: { key: 'laptop' } })).toMatchObject({ code: 'BAD_REQUEST' })
    expect((await ask('POST /auth/rotate-token', { body: { key: record.id, overlap: '30d' } })).ok).toBe(true)
    expect(await ask('POST /auth/rotate-token', { body: { key: record.id, overlap: '31d' } })).toMatchObject({
      code: 'BAD_REQUEST',
    })
    expect(await ask('POST /auth/rotate-token', { body: { key: 'x' } })).toMatchObject({ code: 'TOKEN_NOT_FOUND' })
  })

  test('rotates the system token of the runtime configuration', async () => {
    expect(await ask('POST /auth/rotate-token', { body: {} })).toMatchObject({ code: 'BAD_REQUEST' })
    await config.set('auth.token', 'the-system-token-before', { force: false })
    const { token } = await value('POST /auth/rotate-token', { body: { overlap: '1h' } })
    expect(config.current().auth.token).toBe(token)
    for (const text of ['the-system-token-before', String(token)])
      expect(access.tokens.find(text)?.keyId).toBe('system')
    expect(JSON.stringify(audited)).not.toContain(token)
  })
})
