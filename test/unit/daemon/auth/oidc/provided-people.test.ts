import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addressList } from '../../../../../daemon/admit/address.ts'
import { type Access, createAccess } from '../../../../../daemon/auth/access.ts'
import { SERVICE_KEY } from '../../../../../daemon/auth/key-record.ts'
import { createFirstAdmin } from '../../../../../daemon/auth/oidc/first-admin.ts'
import { createProvidedPeople } from '../../../../../daemon/auth/oidc/provided-people.ts'
import type { Identity } from '../../../../../daemon/auth/oidc/provider.ts'
import { openAccessStore } from '../../../../../store/sqlite/access-store.ts'
import { type Database, openDatabase } from '../../../../../store/sqlite/database.ts'
import { openMark } from '../../../../../store/sqlite/sign-in-store.ts'
import { temporaryDirectory } from '../../../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let database: Database
let access: Access
let ended: string[]
let hasOperator: boolean

/** As after a restart of the daemon. */
function open() {
  access = createAccess(openAccessStore(database), {
    now: () => 1_000_000,
    steady: () => 1_000,
    rangesOf: addressList,
    log: () => {},
  })
  const mark = openMark(database, 'first-admin')
  const firstAdmin = createFirstAdmin(access.users, mark, () => hasOperator)
  return createProvidedPeople({
    users: access.users,
    mayBeFirst: firstAdmin.isOpen,
    endAllOf: [(id, why) => void ended.push(`devices of ${id} ${why}`), access.sessions.endAll],
    log: () => {},
  })
}
beforeEach(() => {
  place = temporaryDirectory()
  database = openDatabase(place.file('gate.db'))
  ended = []
  hasOperator = false
})
afterEach(() => {
  database.close()
  place.remove()
})

function identity(subject: string, role: Identity['role'] = null): Identity {
  return { providerId: 'one', issuer: 'https://one.example', subject, name: subject, email: null, role }
}

describe('a new person is an administrator', () => {
  const admin = () => access.users.create({ name: 'root', role: 'admin' })
  test.each<{ name: string; before?: () => void; role: string; claim?: Identity['role'] }>([
    { name: 'where there is no other', role: 'admin' },
    { name: 'not where claims say another role', claim: 'viewer', role: 'viewer' },
    { name: 'not where there is one', before: admin, role: 'member' },
    {
      name: 'not where the only one was removed',
      before: () => void access.users.remove(admin().id),
      role: 'member',
    },
    {
      name: 'not where the only one was disabled',
      before: () => void access.users.change(admin().id, { disabled: true }),
      role: 'member',
    },
  ])('$name', ({ before, claim, role }) => {
    open()
    before?.()
    expect(open().personOf(identity('mara', claim)).role).toBe(role)
  })

  test('not where the configuration names one', () => {
    hasOperator = true
    expect(open().personOf(identity('mara')).role).toBe('member')
  })

  test('once, also after a restart and when that one is gone', () => {
    const first = open().personOf(identity('mara'))
    access.users.remove(first.id)
    expect([first.role, open().personOf(identity('nils')).role]).toEqual(['admin', 'member'])
  })
})

describe('who is in none of the groups any more', () => {
  test('is signed out everywhere, and their keys count for the least', () => {
    const people = open()
    access.users.create({ name: 'root', role: 'admin' })
    const { id } = people.personOf(identity('mara', 'admin'))
    const { token } = access.sessions.create({ userId: id, via: 'oidc', idp: 'one', address: '', agent: '' })
    const key = access.tokens.issue({
      ...SERVICE_KEY,
      name: 'own',
      scopes: ['admin'],
      ownerId: id,
      maker: { kind: 'user', id },
    })
    people.leftGroups(identity('mara', 'none'))
    expect(access.sessions.find(token)).toBeNull()
    expect(ended).toEqual([`devices of ${id} revoked`])
    expect([...(access.tokens.find(key.token)?.scopes ?? [])]).not.toContain('admin')
    expect(access.users.get(id)?.role).toBe('viewer')
  })

  test('keeps the role of the last administrator, signed out all the same', () => {
    const people = open()
    const { id } = people.personOf(identity('mara'))
    const { token } = access.sessions.create({ userId: id, via: 'oidc', idp: 'one', address: '', agent: '' })
    people.leftGroups(identity('mara', 'none'))
    expect([access.sessions.find(token), access.users.get(id)?.role]).toEqual([null, 'admin'])
  })

  test('is not made', () => {
    open().leftGroups(identity('eve', 'none'))
    expect(access.users.list()).toEqual([])
  })
})
