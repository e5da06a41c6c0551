import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addressList } from '../../../../daemon/admit/address.ts'
import { type Access, createAccess } from '../../../../daemon/auth/access.ts'
import { type KeyWish, SERVICE_KEY } from '../../../../daemon/auth/key-record.ts'
import { EMERGENCY_SOURCE } from '../../../../daemon/auth/users.ts'
import type { Ended } from '../../../../schemas/words/ended.ts'
import type { Role } from '../../../../schemas/words/roles.ts'
import { openAccessStore } from '../../../../store/sqlite/access-store.ts'
import { type Database, openDatabase } from '../../../../store/sqlite/database.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const DAY_MS = 86_400_000

let directory: ReturnType<typeof temporaryDirectory>
let database: Database
let access: Access
let wallMs: number
let steadyMs: number
let ended: Ended[]

/** As after a restart of the daemon. */
function open(): Access {
  const made = createAccess(openAccessStore(database), {
    now: () => wallMs,
    steady: () => steadyMs,
    rangesOf: addressList,
    log: () => {},
  })
  ended = []
  made.whenEnded((one) => void ended.push(one))
  return made
}
beforeEach(() => {
  directory = temporaryDirectory()
  database = openDatabase(directory.file('gate.db'))
  wallMs = Date.parse('2026-11-30T12:00:00Z')
  steadyMs = 5_000
  access = open()
})
afterEach(() => {
  database.close()
  directory.remove()
})

const user = (name: string, role: Role = 'member') => access.users.create({ name, role })
const wish = (more: Partial<KeyWish> = {}): KeyWish => ({ ...SERVICE_KEY, name: 'one', scopes: ['admin'], ...more })
const SIGN_IN = { via: 'password', idp: null, address: '10.0.0.1', agent: 'a browser' }
const signIn = (userId: string) => access.sessions.create({ ...SIGN_IN, userId })
const scopesOf = (token: string) => {
  const found = access.tokens.find(token) ?? access.sessions.find(token)
  return found === null ? null : [...found.scopes]
}
const whys = (id: string) => ended.filter((one) => one.id === id).map(({ why }) => why)

describe('S7: a key never does more than those who made it', () => {
  test.each<{ role: Role; may: string[] }>([
    { role: 'member', may: ['chat:read', 'chat:write'] },
    { role: 'viewer', may: ['chat:read'] },
  ])('the keys of an admin who becomes a $role', ({ role, may }) => {
    const ada = user('ada', 'admin')
    const own = access.tokens.issue(wish({ ownerId: ada.id, maker: { kind: 'user', id: ada.id } }))
    const service = access.tokens.issue(wish({ maker: { kind: 'user', id: ada.id } }))
    const child = access.tokens.issue(wish({ maker: { kind: 'key', id: service.record.id } }))
    const operators = access.tokens.issue(wish())
    expect(scopesOf(child.token)).toEqual(['admin'])
    access.users.change(ada.id, { role })
    for (const { token, record } of [own, service, child]) {
      expect(scopesOf(token)).toEqual(may)
      expect(whys(record.id)).toEqual(['narrowed'])
    }
    expect(scopesOf(operators.token)).toEqual(['admin'])
    access.users.change(ada.id, { role: 'admin' })
    expect(scopesOf(child.token)).toEqual(['admin'])
    expect(open().tokens.find(child.token)).not.toBeNull()
  })

  test.each([
    { name: 'is disabled', how: (id: string) => access.users.change(id, { disabled: true }), why: 'disabled' },
    { name: 'is removed', how: (id: string) => access.users.remove(id), why: 'removed' },
  ])(
    'a person who $name: what they own and what they made counts for nothing, also after a restart',
    ({ how, why }) => {
      const ada = user('ada', 'admin')
      const own = access.tokens.issue(wish({ ownerId: ada.id, maker: { kind: 'user', id: ada.id } }))
      const service = access.tokens.issue(wish({ maker: { kind: 'user', id: ada.id } }))
      const forAnother = access.tokens.issue(
        wish({ ownerId: user('bob', 'admin').id, maker: { kind: 'user', id: ada.id } }),
      )
      const { token } = signIn(ada.id)
      how(ada.id)
      for (const one of [own.token, service.token, forAnother.token, token]) expect(scopesOf(one)).toBeNull()
      expect(ended).toContainEqual({ kind: 'user', id: ada.id, why })
      expect(whys(service.record.id)).toEqual([why])
      access = open()
      for (const one of [own.token, service.token, forAnother.token, token]) expect(scopesOf(one)).toBeNull()
    },
  )

  test.each([
    { name: 'disabled', how: (id: string) => access.users.change(id, { disabled: true }), table: 'session' },
    { name: 'removed', how: (id: string) => access.users.remove(id), table: 'token' },
  ])('a person is $name although what is theirs cannot be written: it ends in memory', ({ name, how, table }) => {
    const ada = user('ada', 'admin')
    const own = access.tokens.issue(wish({ ownerId: ada.id, maker: { kind: 'user', id: ada.id } }))
    const { token } = signIn(ada.id)
    const heard: string[] = []
    access.whenEnded(() => {
      throw new Error('a listener that fails')
    })
    access.whenEnded(({ id }) => void heard.push(id))
    access.users.onEvent(({ kind }) => void heard.push(kind))
    const verb = table === 'session' ? 'DELETE' : 'UPDATE'
    database.exec(`CREATE TRIGGER full BEFORE ${verb} ON ${table} BEGIN SELECT RAISE(ABORT, 'full'); END`)
    how(ada.id)
    for (const one of [own.token, token]) expect(scopesOf(one)).toBeNull()
    expect(ended).toContainEqual({ kind: 'user', id: ada.id, why: name })
    expect(heard).toContain(ada.id)
    expect(heard).toContain(name === 'removed' ? 'removed' : 'changed')
    database.exec('DROP TRIGGER full')
    access.endExpired()
    expect(openAccessStore(database).sessions.all()).toEqual([])
    access = open()
    for (const one of [own.token, token]) expect(scopesOf(one)).toBeNull()
  })

  test('whoever listens to users is told, whatever another listener throws', () => {
    const heard: string[] = []
    access.users.onEvent(() => {
      throw new Error('full')
    })
    access.users.onEvent(({ id }) => void heard.push(id))
    expect(() => user('ada')).toThrow('full')
    expect(heard).toEqual([access.users.named('ada')?.id])
  })

  test('a key that made keys is revoked, disabled, expires: so do they', () => {
    const parent = access.tokens.issue(wish({ expiresAt: wallMs + 1_000 }))
    const child = access.tokens.issue(wish({ maker: { kind: 'key', id: parent.record.id } }))
    const grandchild = access.tokens.issue(wish({ maker: { kind: 'key', id: child.record.id } }))
    access.tokens.change(parent.record.id, { disabled: true })
    expect(scopesOf(grandchild.token)).toBeNull()
    access.tokens.change(parent.record.id, { disabled: false })
    expect(scopesOf(grandchild.token)).toEqual(['admin'])
    wallMs += 1_000
    expect(scopesOf(grandchild.token)).toBeNull()
    access.tokens.change(parent.record.id, { expiresAt: null })
    expect(scopesOf(grandchild.token)).toEqual(['admin'])
    access.tokens.revoke(parent.record.id)
    expect(scopesOf(child.token)).toBeNull()
    expect(scopesOf(grandchild.token)).toBeNull()
  })

  test('a chain of keys has an end', () => {
    let id = access.tokens.issue(wish()).record.id
    const tokens = Array.from({ length: 12 }, () => {
      const made = access.tokens.issue(wish({ maker: { kind: 'key', id } }))
      id = made.record.id
      return made.token
    })
    expect(scopesOf(tokens[7] ?? '')).toEqual(['admin'])
    expect(scopesOf(tokens[8] ?? '')).toBeNull()
  })

  test('models, addresses, budgets and limits of the maker bind as well', () => {
    const parent = access.tokens.issue(
      wish({
        allowed: { models: ['local/*', 'gpt-5'], categories: ['code'] },
        addresses: ['10.0.0.0/8'],
        budgets: ['team'],
        limits: ['slow'],
      }),
    )
    const child = access.tokens.issue(
      wish({
        maker: { kind: 'key', id: parent.record.id },
        allowed: { models: ['local/small', 'claude'], categories: ['code', 'chat'] },
        addresses: ['10.1.0.0/16', '192.168.0.0/16'],
        budgets: ['own'],
      }),
    )
    const found = access.tokens.find(child.token)
    expect(found).toMatchObject({
      allowed: { models: ['local/small'], categories: ['code'] },
      budgets: ['team', 'own'],
      limits: ['slow'],
    })
    expect(['10.1.0.1', '10.2.0.1', '192.168.0.1'].map((address) => found?.addresses?.has(address))).toEqual([
      true,
      false,
      false,
    ])
  })
})

test('a principal stays the same object until something about it changes', () => {
  const ada = user('ada')
  const key = access.tokens.issue(wish({ ownerId: ada.id, scopes: ['chat:write'] }))
  const { token } = signIn(ada.id)
  const find = () => [access.tokens.find(key.token), access.sessions.find(token), access.personOf(ada.id, 'proxy', 'p')]
  const before = find()
  user('bob')
  access.tokens.issue(wish())
  for (const [index, one] of find().entries()) expect(one).toBe(before[index])
  const team = access.teams.create('red')
  access.teams.addMember(team.id, ada.id)
  for (const [index, one] of find().entries()) {
    expect(one).not.toBe(before[index])
    expect(one).toMatchObject({ userId: ada.id, teams: [team.id] })
  }
  expect(ended).toEqual([])
  access.teams.remove(team.id)
  for (const one of find()) expect(one?.teams).toEqual([])
})

describe('rotation', () => {
  test('the text before counts for the overlap, also after a restart; then it does not', () => {
    const { record, token } = access.tokens.issue(wish())
    const rotated = access.tokens.rotate(record.id, 1_000)
    expect(rotated?.record.id).toBe(record.id)
    const both = () => [token, rotated?.token ?? ''].map((text) => access.tokens.find(text)?.keyId)
    expect(both()).toEqual([record.id, record.id])
    access = open()
    expect(both()).toEqual([record.id, record.id])
    wallMs += 1_000
    expect(both()).toEqual([undefined, record.id])
    expect(ended).toEqual([])
  })

  test('a revocation ends all texts of a key', () => {
    const { record, token } = access.tokens.issue(wish())
    const next = access.tokens.rotate(record.id, DAY_MS)?.token ?? ''
    const last = access.tokens.rotate(record.id, DAY_MS)?.token ?? ''
    expect([token, next, last].map(scopesOf)).toEqual([['admin'], ['admin'], ['admin']])
    access.tokens.revoke(record.id)
    access = open()
    expect([token, next, last].map(scopesOf)).toEqual([null, null, null])
    expect(access.tokens.rotate(record.id, 1)).toBeUndefined()
  })

  test('no more than four texts before count', () => {
    const { record, token } = access.tokens.issue(wish())
    const texts = [token, ...Array.from({ length: 5 }, () => access.tokens.rotate(record.id, DAY_MS)?.token ?? '')]
    expect(texts.map((text) => scopesOf(text) !== null)).toEqual([false, true, true, true, true, true])
  })

  test.each([
    { overlapMs: 0, counts: [false, false, true] },
    { overlapMs: 1, counts: [true, true, true] },
  ])('a second rotation with an overlap of $overlapMs ms: texts that count: $counts', ({ overlapMs, counts }) => {
    const { record, token } = access.tokens.issue(wish())
    const next = access.tokens.rotate(record.id, DAY_MS)?.token ?? ''
    const texts = [token, next, access.tokens.rotate(record.id, overlapMs)?.token ?? '']
    expect(texts.map((text) => scopesOf(text) !== null)).toEqual(counts)
    access = open()
    expect(texts.map((text) => scopesOf(text) !== null)).toEqual(counts)
  })

  test('a former text counts no longer than its key', () => {
    const { record } = access.tokens.issue(wish({ expiresAt: wallMs + 1_000 }))
    expect(access.tokens.rotate(record.id, DAY_MS)?.until).toBe(wallMs + 1_000)
  })

  test.each([
    { name: 'rotated without an overlap', overlapMs: 0, by: 'rotation', next: 'the-third-system-token' },
    { name: 'set by hand', overlapMs: null, by: 'hand', next: 'the-third-system-token' },
    { name: 'removed', overlapMs: null, by: 'hand', next: undefined },
    { name: 'set by hand in place of a rotation', overlapMs: DAY_MS, by: 'hand', next: 'the-third-system-token' },
  ])('auth.token that is $name: no former text counts, also after a restart', ({ overlapMs, by, next }) => {
    const { tokens } = access
    tokens.setSystemToken('the-first-system-token')
    tokens.keepSystemToken(wallMs + DAY_MS, 'the-second-system-token')
    tokens.setSystemToken('the-second-system-token')
    expect(scopesOf('the-first-system-token')).not.toBeNull()
    if (overlapMs !== null) tokens.keepSystemToken(wallMs + overlapMs, by === 'rotation' ? `${next}` : 'another-one')
    tokens.setSystemToken(next)
    for (const restart of [false, true]) {
      if (restart) access = open()
      access.tokens.setSystemToken(next)
      for (const text of ['the-first-system-token', 'the-second-system-token']) expect(scopesOf(text)).toBeNull()
      expect(scopesOf('the-third-system-token') !== null).toBe(next !== undefined)
    }
  })

  test('a former auth.token ends although the store is locked, and is removed from it later', () => {
    access.tokens.setSystemToken('the-first-system-token')
    access.tokens.keepSystemToken(wallMs + DAY_MS, 'the-second-system-token')
    access.tokens.setSystemToken('the-second-system-token')
    database.pragma('query_only = true')
    access.tokens.setSystemToken(undefined)
    expect(scopesOf('the-first-system-token')).toBeNull()
    expect(openAccessStore(database).tokens.previous()).toHaveLength(1)
    database.pragma('query_only = false')
    access.endExpired()
    expect(openAccessStore(database).tokens.previous()).toEqual([])
  })

  test('auth.token: the one before counts for the overlap, unless the change fails', () => {
    access.tokens.setSystemToken('the-first-system-token')
    access.tokens.keepSystemToken(wallMs + 1_000, 'the-second-system-token')
    access.tokens.setSystemToken('the-second-system-token')
    expect(scopesOf('the-first-system-token')).not.toBeNull()
    access = open()
    access.tokens.setSystemToken('the-second-system-token')
    expect(scopesOf('the-first-system-token')).not.toBeNull()
    wallMs += 1_000
    expect(scopesOf('the-first-system-token')).toBeNull()
    const takeBack = access.tokens.keepSystemToken(wallMs + 1_000, 'the-third-system-token')
    takeBack()
    wallMs += 2_000
    expect(scopesOf('the-second-system-token')).not.toBeNull()
  })
})

describe('sessions', () => {
  test.each([
    { source: 'local', via: 'session' },
    { source: EMERGENCY_SOURCE, via: 'break-glass' },
  ])('of a user of the source $source are known by $via', ({ source, via }) => {
    const { id } = access.users.create({ name: 'ada', role: 'admin', source, subject: 'ada' })
    const { token, session } = signIn(id)
    expect(access.sessions.find(token)?.via).toBe(via)
    expect(session.via).toBe(via === 'session' ? 'password' : via)
    expect(open().sessions.find(token)?.via).toBe(via)
  })

  test('end after their time, whatever the clock on the wall does in between (R13)', () => {
    const { token } = signIn(user('ada').id)
    for (const jumpMs of [DAY_MS, -2 * DAY_MS]) {
      wallMs += jumpMs
      access.endExpired()
      expect(scopesOf(token)).not.toBeNull()
    }
    steadyMs += DAY_MS - 1
    access.endExpired()
    expect(scopesOf(token)).not.toBeNull()
    steadyMs += 1
    access.endExpired()
    expect(scopesOf(token)).toBeNull()
    expect(ended.map(({ why }) => why)).toEqual(['expired'])
    expect(openAccessStore(database).sessions.all()).toEqual([])
  })

  test('outlive a restart, and no longer than before', () => {
    const { token } = signIn(user('ada').id)
    wallMs += DAY_MS / 2
    access = open()
    expect(scopesOf(token)).not.toBeNull()
    steadyMs += DAY_MS / 2
    access.endExpired()
    expect(scopesOf(token)).toBeNull()
  })

  test('that ended while nothing ran are taken out of the store', () => {
    const { token } = signIn(user('ada').id)
    wallMs += DAY_MS
    access = open()
    expect(scopesOf(token)).toBeNull()
    access.endExpired()
    expect(openAccessStore(database).sessions.all()).toEqual([])
  })

  test('keep the token as SHA-256 alone', () => {
    const { token } = signIn(user('ada').id)
    expect(JSON.stringify(database.prepare('SELECT * FROM session').all())).not.toContain(token.slice(-20))
  })

  test('are renewed: another token, the full time again', () => {
    const { session, token } = signIn(user('ada').id)
    steadyMs += DAY_MS - 1_000
    const renewed = access.sessions.renew(session.id)
    expect(scopesOf(token)).toBeNull()
    steadyMs += DAY_MS - 1
    access.endExpired()
    expect(scopesOf(renewed?.token ?? '')).not.toBeNull()
  })

  test('are ended one by one, or all but one', () => {
    const ada = user('ada')
    const [first, second, third] = [signIn(ada.id), signIn(ada.id), signIn(ada.id)]
    const other = signIn(user('bob').id)
    expect(access.sessions.of(ada.id)).toHaveLength(3)
    expect(access.sessions.end(first.session.id)).toBe(true)
    expect(access.sessions.end(first.session.id)).toBe(false)
    expect(access.sessions.endAll(ada.id, 'signed-out', third.session.id)).toBe(1)
    expect([first, second, third, other].map(({ token }) => scopesOf(token) !== null)).toEqual([
      false,
      false,
      true,
      true,
    ])
  })

  test('of one person are 50 at most: the one that was seen longest ago goes', () => {
    const ada = user('ada')
    const made = Array.from({ length: 51 }, () => {
      wallMs += 1
      return signIn(ada.id)
    })
    expect(scopesOf(made[0]?.token ?? '')).toBeNull()
    expect(scopesOf(made[1]?.token ?? '')).not.toBeNull()
  })

  test('note when they were seen, now and then', () => {
    const ada = user('ada')
    const { token } = signIn(ada.id)
    const stored = () => openAccessStore(database).sessions.all()[0]?.seenAt
    const begun = wallMs
    wallMs += 299_999
    access.sessions.find(token)
    access.noteSeen()
    expect(stored()).toBe(begun)
    wallMs += 1
    access.sessions.find(token)
    access.noteSeen()
    expect(stored()).toBe(wallMs)
  })

  test('are refused to whom was disabled', () => {
    const ada = user('ada')
    access.users.change(ada.id, { disabled: true })
    expect(() => signIn(ada.id)).toThrow(expect.objectContaining({ code: 'SIGN_IN_REFUSED' }))
  })
})

test('S8: tokens that begin or end alike are different ones', () => {
  const { token } = access.tokens.issue(wish())
  const { token: session } = signIn(user('ada').id)
  for (const text of [token, session]) {
    for (const other of [text.slice(0, -1), `${text}A`, text.toUpperCase(), ` ${text}`, text.slice(0, 20)])
      expect(scopesOf(other)).toBeNull()
  }
})

describe('people', () => {
  test('have one name each, whatever its case', () => {
    const ada = user('Ada')
    expect(access.users.named('aDA')).toEqual(ada)
    expect(() => user('ADA')).toThrow(expect.objectContaining({ code: 'NAME_TAKEN' }))
    const bob = user('bob')
    expect(() => access.users.change(bob.id, { name: 'ada' })).toThrow(expect.objectContaining({ code: 'NAME_TAKEN' }))
    access.users.change(ada.id, { name: 'ADA' })
    access.users.change(ada.id, { name: 'grace' })
    expect(access.users.named('ada')).toBeUndefined()
    expect(user('ada').name).toBe('ada')
  })

  test('of an identity provider who were removed are made anew', () => {
    const seen = () => access.users.seen({ source: 'oidc', subject: 's1', name: 'ada', role: 'member' })
    const { id } = seen()
    access.users.remove(id)
    expect(access.users.known('oidc', 's1')).toBeUndefined()
    expect(seen().id).not.toBe(id)
  })

  test('of an identity provider are those of its subject, and get a free name', () => {
    const local = user('ada', 'admin')
    const seen = access.users.seen({ name: 'ada', role: 'viewer', source: 'oidc', subject: 'https://op.example 7' })
    expect(seen).toMatchObject({ name: 'ada-2', role: 'viewer' })
    expect(seen.id).not.toBe(local.id)
    expect(open().users.seen({ name: 'x', role: 'admin', source: 'oidc', subject: 'https://op.example 7' })).toEqual(
      seen,
    )
    expect(access.users.known('proxy', 'https://op.example 7')).toBeUndefined()
  })

  test('are read again after a restart, with their teams', () => {
    const ada = user('ada', 'admin')
    access.users.change(ada.id, { email: 'ada@example.org', passwordHash: '$argon2id$x', role: 'viewer' })
    access.users.signedIn(ada.id)
    const team = access.teams.create('red')
    access.teams.addMember(team.id, ada.id)
    const again = open()
    expect(again.users.list()).toEqual(access.users.list())
    expect(again.teams.list()).toEqual(access.teams.list())
    access.users.remove(ada.id)
    expect(access.teams.get(team.id)?.members).toEqual([])
    expect(open().teams.get(team.id)?.members).toEqual([])
  })
})

test('a key whose time has only come by a wrong clock counts again once that is right', () => {
  const { token, record } = access.tokens.issue(wish({ expiresAt: wallMs + 1_000 }))
  wallMs += DAY_MS
  access.endExpired()
  access.endExpired()
  expect(scopesOf(token)).toBeNull()
  expect(whys(record.id)).toEqual(['expired'])
  wallMs -= DAY_MS
  access.endExpired()
  expect(scopesOf(token)).not.toBeNull()
})
