import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTokens, type Tokens } from '../../../../daemon/auth/tokens.ts'
import { type Database, openDatabase } from '../../../../store/sqlite/database.ts'
import { openTokenStore } from '../../../../store/sqlite/token-store.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let database: Database
let tokens: Tokens
let time = 1_000

beforeEach(() => {
  place = temporaryDirectory()
  database = openDatabase(place.file('gate.db'))
  tokens = createTokens(openTokenStore(database), () => time)
})
afterEach(() => {
  database.close()
  place.remove()
})

test('finds a key that was made, also after a restart, and nothing like it', () => {
  const { token, record } = tokens.create('laptop', ['chat:write'], null)
  const reopened = createTokens(openTokenStore(database), () => time)
  for (const keys of [tokens, reopened]) {
    expect(keys.find(token)).toMatchObject({ keyId: record.id, name: 'laptop' })
    expect(keys.find(token.slice(0, -1))).toBeNull()
    expect(keys.find(`${token}x`)).toBeNull()
    expect(keys.find(record.hash)).toBeNull()
    expect(keys.find('')).toBeNull()
  }
})

const LIMITS = { models: ['coder', 'local/*'], categories: ['code'] }

test('what a key may use is kept beside it, also in a database that did not know of it', () => {
  const before = tokens.create('before', ['chat:write'], null)
  database.exec('ALTER TABLE token DROP COLUMN limits')
  database.close()
  database = openDatabase(place.file('gate.db'))
  const { token } = createTokens(openTokenStore(database), () => time).create('new', ['chat:read'], null, LIMITS)
  const reopened = createTokens(openTokenStore(database), () => time)
  expect(reopened.find(token)).toMatchObject({ scopes: new Set(['chat:read']), allowed: LIMITS })
  expect(reopened.find(before.token)).toMatchObject({ scopes: new Set(['chat:write']), allowed: null })
  const listed = Object.fromEntries(reopened.list().map(({ name, scopes, allowed }) => [name, { scopes, allowed }]))
  expect(listed).toEqual({
    before: { scopes: ['chat:write'], allowed: null },
    new: { scopes: ['chat:read'], allowed: LIMITS },
  })
})

test.each([
  { allowed: null, namesUsers: true },
  { allowed: { models: ['coder'], categories: [], pinned: 'coder' }, namesUsers: false },
  { allowed: { models: ['coder'], categories: [], pinned: 'coder' }, namesUsers: true },
])('what else there is of a key is kept, too: $allowed, $namesUsers', ({ allowed, namesUsers }) => {
  const { token } = tokens.create('webui', ['chat:write'], null, allowed, namesUsers)
  const reopened = createTokens(openTokenStore(database), () => time)
  expect(reopened.find(token)).toMatchObject({ scopes: new Set(['chat:write']), allowed, namesUsers })
  expect(database.prepare('SELECT scopes FROM token').pluck().all()).toEqual(['']) // an older Gate knows neither
})

test('a Gate that does not know of limits gives such a key no right, rather than all', () => {
  tokens.create('guest', ['chat:write'], null, LIMITS)
  expect(database.prepare('SELECT scopes FROM token').pluck().all()).toEqual([''])
})

test.each(['', '{', '[]', '{"scopes":["admin"],"models":[],"categories":[],"regions":["eu"]}'])(
  'limits that cannot be understood leave no right: %j',
  (limits) => {
    const { token } = tokens.create('guest', ['admin'], null, LIMITS)
    database.prepare('UPDATE token SET limits = ?').run(limits)
    const found = createTokens(openTokenStore(database), () => time).find(token)
    expect(found).toMatchObject({ scopes: new Set(), allowed: { models: [], categories: [] } })
  },
)

test('stores no key, only its hash', () => {
  const { token } = tokens.create('laptop', ['admin'], null)
  database.pragma('wal_checkpoint(TRUNCATE)')
  expect(place.read('gate.db')).not.toContain(token)
  expect(place.read('gate.db')).not.toContain(token.slice(5))
})

test('a revoked key is refused at once and stays so', () => {
  const { token, record } = tokens.create('laptop', ['admin'], null)
  expect(tokens.revoke(record.id)).toBe(true)
  expect(tokens.revoke(record.id)).toBe(false)
  expect(tokens.revoke('nonsense')).toBe(false)
  expect(tokens.find(token)).toBeNull()
  expect(createTokens(openTokenStore(database), () => time).find(token)).toBeNull()
  expect(tokens.list()).toMatchObject([{ id: record.id, revokedAt: time }])
})

test('keys that follow each other over one connection are told apart, and lose their rights as over any other', () => {
  const connection = {}
  const one = tokens.create('one', ['chat:write'], null)
  const other = tokens.create('other', ['chat:write'], time + 1_000)
  for (const { record, token } of [one, one, other, one, other]) {
    expect(tokens.find(token, connection)?.keyId).toBe(record.id)
    expect(tokens.find(token.slice(0, 20), connection)).toBeNull()
  }
  tokens.find(one.token, connection)
  tokens.revoke(one.record.id)
  expect(tokens.find(one.token, connection)).toBeNull()
  tokens.find(other.token, connection)
  time += 1_000
  expect(tokens.find(other.token, connection)).toBeNull()
})

test('a key expires', () => {
  const { token } = tokens.create('guest', ['chat:write'], time + 1_000)
  expect(tokens.find(token)).not.toBeNull()
  time += 1_000
  expect(tokens.find(token)).toBeNull()
})

test('B14: what a key is doing when its time is over is ended, once, and no other key', () => {
  const ended: string[] = []
  tokens.whenEnded(({ id, why }) => void ended.push(`${why} ${id}`))
  const guest = tokens.create('guest', ['chat:write'], time + 1_000)
  const other = tokens.create('other', ['chat:write'], time + 1_001)
  const always = tokens.create('always', ['chat:write'], null)
  tokens.endExpired()
  expect(ended).toEqual([])
  time += 1_000
  tokens.endExpired()
  tokens.endExpired()
  expect(ended).toEqual([`expired ${guest.record.id}`])
  tokens.revoke(other.record.id)
  expect(ended.slice(1)).toEqual([`revoked ${other.record.id}`])
  expect(tokens.find(always.token)).not.toBeNull()
})

test('the system token has every scope and can be changed while running', () => {
  tokens.setSystemToken('a-system-token-of-the-operator')
  expect(tokens.find('a-system-token-of-the-operator')?.scopes.has('config:write')).toBe(true)
  tokens.setSystemToken('another-system-token')
  expect(tokens.find('a-system-token-of-the-operator')).toBeNull()
  expect(tokens.find('another-system-token')).not.toBeNull()
  tokens.setSystemToken(undefined)
  expect(tokens.find('another-system-token')).toBeNull()
  expect(tokens.list()).toEqual([])
})
