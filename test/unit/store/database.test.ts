import { statSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NO_TOKENS, type UsageRow } from '../../../daemon/meter/usage.ts'
import { openDatabase } from '../../../store/sqlite/database.ts'
import { openUsageStore } from '../../../store/sqlite/usage-store.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { usageRow } from '../../support/usage-row.ts'

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory()
})
afterEach(() => place.remove())

const row = (requestId: string, attempt = 1): UsageRow =>
  usageRow({
    requestId,
    attempt,
    startedAt: 1,
    keyId: "k'; DROP TABLE usage; --",
    targetModel: 'm',
    durationMs: 5,
    ...NO_TOKENS,
  })

test('makes the file for its owner only, and opens it again', () => {
  const file = place.file('gate.db')
  openDatabase(file).close()
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const again = openDatabase(file)
  expect(again.pragma('user_version', { simple: true })).toBe(1)
  expect(again.pragma('journal_mode', { simple: true })).toBe('wal')
  again.close()
})

test('columns of later versions are added, and the version before goes on writing without them', () => {
  const file = place.file('gate.db')
  const older = openDatabase(file)
  for (const column of ['unpriced', 'end_user']) older.exec(`ALTER TABLE usage DROP COLUMN ${column}`)
  older.close()
  const database = openDatabase(file)
  openUsageStore(database).append([{ ...row('new'), unpriced: true, endUser: 'ann' }])
  const columns = `request_id, attempt, started_at, key_id, model, upstream, target_model, status, outcome, input_tokens,
    output_tokens, cached_tokens, reasoning_tokens, estimated, cost_microdollars, duration_ms, ttft_ms`
  const values = "'old', 1, 1, 'k', 'm', 'u', 'm', 200, 'ok', 1, 1, 0, 0, 0, 0, 5, NULL"
  database.exec(`INSERT INTO usage (${columns}) VALUES (${values})`)
  const all = database
    .prepare('SELECT request_id, cache_write_tokens, unpriced, end_user FROM usage ORDER BY 1')
    .raw()
    .all()
  expect(all).toEqual([
    ['new', 0, 1, 'ann'],
    ['old', 0, 0, ''],
  ])
  database.close()
})

test('SQLite is past the WAL-reset bug', () => {
  const database = openDatabase(place.file('gate.db'))
  const [major = 0, minor = 0, patch = 0] = String(database.prepare('SELECT sqlite_version()').pluck().get())
    .split('.')
    .map(Number)
  expect(major * 1e6 + minor * 1e3 + patch).toBeGreaterThanOrEqual(3_051_003)
  database.close()
})

test('a row that is appended twice counts once; a new attempt is a new row', () => {
  const database = openDatabase(place.file('gate.db'))
  const store = openUsageStore(database)
  store.append([row('a'), row('b')])
  store.append([row('a'), row('a', 2)])
  expect(database.prepare('SELECT request_id, attempt FROM usage ORDER BY 1, 2').raw().all()).toEqual([
    ['a', 1],
    ['a', 2],
    ['b', 1],
  ])
  database.close()
})

test('a lock held by somebody else fails at once', () => {
  const database = openDatabase(place.file('gate.db'))
  const store = openUsageStore(database)
  const other = openDatabase(place.file('gate.db'))
  other.exec('BEGIN IMMEDIATE')
  expect(() => store.append([row('a')])).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }))
  other.exec('COMMIT')
  store.append([row('a')])
  other.close()
  database.close()
})

test.each([
  {
    name: 'no database',
    make: () => place.write('gate.db', 'this is text, not a database, and long enough to be read as a header of one'),
    says: /not a database/,
  },
  {
    name: 'a newer one',
    make: () => {
      const database = openDatabase(place.file('gate.db'))
      database.pragma('user_version = 99')
      database.close()
    },
    says: /written by a newer version of Gate/,
  },
])('refuses $name and says what to do', ({ make, says }) => {
  make()
  const before = place.read('gate.db')
  expect(() => openDatabase(place.file('gate.db'))).toThrow(says)
  expect(() => openDatabase(place.file('gate.db'))).toThrow(/restore a backup/)
  expect(place.read('gate.db')).toBe(before)
})
