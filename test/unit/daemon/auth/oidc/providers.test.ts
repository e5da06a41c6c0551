import { describe, expect, test } from 'vitest'
import { pendingSignIns } from '../../../../../daemon/auth/oidc/pending.ts'
import { type IdentityProvider, type RoleRules, roleIn } from '../../../../../daemon/auth/oidc/provider.ts'
import {
  createProviders,
  type ProviderSettings,
  type StoredProvider,
} from '../../../../../daemon/auth/oidc/providers.ts'
import { createOidcSignIn } from '../../../../../daemon/auth/oidc/sign-in.ts'

const RULES: RoleRules = {
  claim: 'groups',
  groups: [
    { group: 'root', role: 'admin' },
    { group: 'staff', role: 'member' },
  ],
  otherwise: 'none',
}

describe('roles', () => {
  test.each<{
    readonly name: string
    readonly claims: Record<string, unknown>
    readonly rules?: Partial<RoleRules>
    readonly role: string | null
  }>([
    { name: 'the first group that fits', claims: { groups: ['staff', 'root'] }, role: 'admin' },
    { name: 'one text', claims: { groups: 'staff' }, role: 'member' },
    { name: 'no group that fits', claims: { groups: ['guests'] }, role: 'none' },
    { name: 'no claim', claims: {}, role: 'none' },
    { name: 'a claim of another type', claims: { groups: { staff: true } }, role: 'none' },
    { name: 'numbers among the groups', claims: { groups: [1, null, 'staff'] }, role: 'member' },
    {
      name: 'a claim inside of others',
      claims: { realm_access: { roles: ['root'] } },
      rules: { claim: 'realm_access.roles' },
      role: 'admin',
    },
    {
      name: 'a claim whose name has dots',
      claims: { 'https://x.example/groups': ['root'] },
      rules: { claim: 'https://x.example/groups' },
      role: 'admin',
    },
    {
      name: 'what objects have by themselves',
      claims: {},
      rules: { claim: 'constructor.name', groups: [{ group: 'Object', role: 'admin' }] },
      role: 'none',
    },
    { name: 'no rules at all', claims: { groups: ['root'] }, rules: { groups: [], otherwise: 'member' }, role: null },
    { name: 'no groups, and a role for all', claims: {}, rules: { groups: [], otherwise: 'viewer' }, role: 'viewer' },
  ])('$name: $role', ({ claims, rules, role }) => {
    expect(roleIn(claims, { ...RULES, ...rules })).toBe(role)
  })
})

const SETTINGS: ProviderSettings = {
  name: 'One',
  issuer: 'https://one.example',
  clientId: 'gate',
  clientSecret: 's',
  scopes: 'openid',
  roles: RULES,
}
const declared: IdentityProvider = { ...SETTINGS, id: 'corp', isDeclared: true }

function providersOf(rows: StoredProvider[] = []) {
  const kept = new Map(rows.map((row) => [row.id, row]))
  const store = {
    all: () => [...kept.values()],
    put: (row: StoredProvider) => void kept.set(row.id, row),
    remove: (id: string) => void kept.delete(id),
  }
  return { kept, providers: createProviders(store, [declared]) }
}

describe('providers', () => {
  test('that are added are kept, and come after those of the configuration', () => {
    const { providers, kept } = providersOf()
    const { id } = providers.add(SETTINGS)
    expect(providers.list().map((one) => one.id)).toEqual(['corp', id])
    expect(kept.get(id)).toMatchObject(SETTINGS)
  })

  test('of the configuration are changed there alone', () => {
    const { providers } = providersOf()
    for (const change of [() => providers.change('corp', SETTINGS), () => providers.remove('corp')])
      expect(change).toThrow(expect.objectContaining({ code: 'DECLARED' }))
  })

  test('keep a secret that is left out, but not for another issuer', () => {
    const { providers } = providersOf()
    const { id } = providers.add(SETTINGS)
    const { clientSecret: _, ...others } = SETTINGS
    expect(providers.change(id, { ...others, name: 'Two' }).clientSecret).toBe('s')
    expect(() => providers.change(id, { ...others, issuer: 'https://evil.example' })).toThrow(
      'send client_secret as well',
    )
    expect(providers.get(id)?.issuer).toBe('https://one.example')
  })

  test('whose secret cannot be read are not used until it is set again', () => {
    const { providers } = providersOf([{ ...SETTINGS, id: 'a', clientSecret: undefined }])
    expect([providers.get('a'), providers.unreadable().map(({ id }) => id)]).toEqual([undefined, ['a']])
    const { clientSecret: _, ...others } = SETTINGS
    expect(() => providers.change('a', others)).toThrow('cannot be read any more')
    expect(providers.change('a', SETTINGS).clientSecret).toBe('s')
    expect(providers.get('a')).toBeDefined()
  })

  test('are fifty at most', () => {
    const { providers } = providersOf()
    for (let time = 0; time < 50; time += 1) providers.add(SETTINGS)
    expect(() => providers.add(SETTINGS)).toThrow(expect.objectContaining({ code: 'TOO_MANY_ENTRIES' }))
  })
})

describe('a sign-in that is under way', () => {
  const ADDRESS = '192.0.2.1'
  const used = new Set<string>()
  let at = 1_000
  const states = { take: (hash: string) => !used.has(hash) && used.add(hash).size > 0, trim: () => used.size }
  const sealing = {
    seal: (text: string) => Buffer.from(text),
    unseal: (sealed: Buffer) => (sealed.length > 0 ? sealed.toString() : null),
  }
  const pending = pendingSignIns(sealing, states, () => at)
  const begun = (state: string) =>
    pending.keep({ provider: 'one', issuer: 'https://one.example', state, nonce: 'n', verifier: 'v', returnTo: '/' })

  test('is taken once', () => {
    const cookie = begun('a')
    expect(pending.take(cookie, 'a', ADDRESS)).toMatchObject({ kind: 'taken', pending: { nonce: 'n', returnTo: '/' } })
    expect(pending.take(cookie, 'a', ADDRESS).kind).toBe('used')
  })

  test.each([
    [undefined, 'b'],
    ['', 'b'],
    [begun('b'), 'c'],
    [begun('b'), ''],
  ])('with the cookie %j and the state %j is not known', (cookie, state) => {
    expect(pending.take(cookie, state, ADDRESS).kind).toBe('unknown')
  })

  test('lasts ten minutes', () => {
    const cookie = begun('d')
    at += 600_000
    expect(pending.take(cookie, 'd', ADDRESS).kind).toBe('expired')
  })

  test('one network that comes back again and again waits, and no other does; ten minutes later it may again', () => {
    const kinds = Array.from({ length: 301 }, (_, n) => pending.take(begun(`f${n}`), `f${n}`, `2001:db8::${n}`).kind)
    expect([kinds.lastIndexOf('taken'), kinds[300]]).toEqual([299, 'full'])
    expect(pending.take(begun('g'), 'g', '2001:db8:1::1').kind).toBe('taken')
    at += 600_000
    expect(pending.take(begun('h'), 'h', '2001:db8::1').kind).toBe('taken')
  })
})

test('nobody is sent to a provider, or taken back from one, while "oidc" is not in auth.mode', async () => {
  const { providers } = providersOf([{ ...SETTINGS, id: 'a' }])
  const refuse = () => Promise.reject(new Error('the provider was asked'))
  const oidc = createOidcSignIn({
    providers,
    relyingParty: { begin: refuse, finish: refuse },
    pending: pendingSignIns(
      { seal: (text) => Buffer.from(text), unseal: (sealed) => sealed.toString() },
      { take: () => true, trim: () => 0 },
      () => 0,
    ),
    random: () => 'r',
    origin: () => 'http://localhost',
    isOn: () => false,
  })
  await expect(oidc.begin('a', '/')).rejects.toThrow('"oidc" is not in auth.mode')
  await expect(oidc.finish(new URLSearchParams(), undefined, '192.0.2.1')).rejects.toThrow('"oidc" is not in auth.mode')
})

test('sixteen codes are exchanged at a time, four of one client; the next is told to come back, and keeps its sign-in', async () => {
  const { providers } = providersOf([{ ...SETTINGS, id: 'a' }])
  const ends: (() => void)[] = []
  const identity = { providerId: 'a', issuer: SETTINGS.issuer, subject: 's', name: 'n', email: null, role: null }
  const oidc = createOidcSignIn({
    providers,
    relyingParty: {
      begin: async (_, __, { state }) => state,
      finish: () => new Promise((resolve) => ends.push(() => resolve({ ...identity, idToken: 'token' }))),
    },
    pending: pendingSignIns(
      { seal: (text) => Buffer.from(text), unseal: (sealed) => sealed.toString() },
      { take: () => true, trim: () => 0 },
      () => 0,
    ),
    random: () => 'r',
    origin: () => 'http://localhost',
    isOn: () => true,
  })
  const { cookie } = await oidc.begin('a', '/')
  const said: string[] = []
  const finish = (address: string) =>
    oidc.finish(new URLSearchParams({ state: 'r', code: 'c' }), cookie, address).then(
      () => 'done',
      ({ code }: { code: string }) => {
        said.push(`${address} ${code}`)
        return code
      },
    )
  const all = [1, 2, 3, 4].flatMap((client) => [1, 2, 3, 4].map((host) => finish(`2001:db8:0:${client}::${host}`)))
  expect(await finish('2001:db8:0:1::9')).toBe('TOO_MANY_REQUESTS') // of one /64
  expect(await finish('192.0.2.1')).toBe('TOO_MANY_REQUESTS') // of all
  expect([ends.length, said.length]).toEqual([16, 2])
  for (const end of ends.splice(0)) end()
  expect(new Set(await Promise.all(all))).toEqual(new Set(['done']))
  const again = finish('192.0.2.1')
  ends[0]?.()
  expect(await again).toBe('done')
})
