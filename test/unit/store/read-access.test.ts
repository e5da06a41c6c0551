import { afterEach, beforeEach, expect, test } from 'vitest'
import { SERVICE_KEY } from '../../../daemon/auth/key-record.ts'
import { createTokens } from '../../../daemon/auth/tokens.ts'
import { openAccessStore, recordsIn } from '../../../store/sqlite/access-store.ts'
import { openDatabase } from '../../../store/sqlite/database.ts'
import { readAccess } from '../../../store/sqlite/open-when-room.ts'
import { ACCESS_TABLES } from '../../../store/sqlite/tables/access.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(() => directory.remove())

/** A database with a key and a person. */
function made(file: string) {
  const database = openDatabase(file)
  const store = openAccessStore(database)
  store.users.insert({
    id: 'u',
    name: 'ada',
    email: null,
    role: 'admin',
    disabledAt: null,
    passwordHash: null,
    source: 'local',
    subject: null,
    createdAt: 1,
    signedInAt: null,
  })
  createTokens(store.tokens, () => 2).issue({ ...SERVICE_KEY, name: 'k', scopes: ['admin'], ownerId: 'u' })
  return { database, store }
}

test('all that is known of people and keys is read without writing anything', () => {
  const file = directory.file('gate.db')
  const { database, store } = made(file)
  const records = recordsIn(store)
  database.close()
  expect(readAccess(file)).toEqual(records)
  expect(records.users).toHaveLength(1)
})

test('in a database of the version before, which had none of the tables, there are keys alone', () => {
  const file = directory.file('gate.db')
  const { database } = made(file)
  database.pragma('foreign_keys = OFF')
  for (const table of Object.keys(ACCESS_TABLES)) database.exec(`DROP TABLE ${table}`)
  database.close()
  expect(readAccess(file)).toMatchObject({ tokens: [{ name: 'k' }], users: [], teams: [], sessions: [], previous: [] })
})

test('where there is no database, there is nothing', () => {
  expect(readAccess(directory.file('absent.db')).tokens).toEqual([])
})
