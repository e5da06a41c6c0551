import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { UsageRow } from '../../../daemon/meter/usage.ts'
import { type Database, openDatabase } from '../../../store/sqlite/database.ts'
import { readSpent } from '../../../store/sqlite/read-spent.ts'
import { spentIn } from '../../../store/sqlite/spent.ts'
import { openUsageStore } from '../../../store/sqlite/usage-store.ts'
import { openUsageUpkeep } from '../../../store/sqlite/usage-upkeep.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { usageRow } from '../../support/usage-row.ts'

let place: ReturnType<typeof temporaryDirectory>
let database: Database
beforeEach(() => {
  place = temporaryDirectory()
  database = openDatabase(place.file('gate.db'))
})
afterEach(() => {
  database.close()
  place.remove()
})

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
let number = 0
const row = (more: Partial<UsageRow>): UsageRow => usageRow({ requestId: `r${number++}`, costMicrodollars: 1, ...more })

const append = (rows: readonly UsageRow[]) => openUsageStore(database).append(rows)
const group = { keyId: 'k', userId: '', team: '', teams: '', model: 'm', targetModel: 't', upstream: 'u' }
const sumIn = (startMs: number, endMs: number) =>
  spentIn(database, { startMs, endMs }).reduce((sum, { cost }) => sum + cost, 0)

/** The database as an earlier version leaves it, which adds nothing up. */
function asBefore(): void {
  database.exec('DELETE FROM spent_since; DELETE FROM spent_hour')
}

/** Rows that an earlier version wrote after a rollback: they are in no sum. */
function appendUncounted(rows: readonly UsageRow[]): void {
  const sums = ['usage_hour', 'usage_day', 'spent_hour']
  for (const name of sums) database.exec(`CREATE TEMP TABLE kept_${name} AS SELECT * FROM ${name}`)
  append(rows)
  for (const { requestId } of rows) {
    database.prepare('UPDATE usage SET rolled_up = 0 WHERE request_id = ?').run(requestId)
  }
  for (const name of sums) {
    database.exec(`DELETE FROM ${name}; INSERT INTO ${name} SELECT * FROM kept_${name}; DROP TABLE kept_${name}`)
  }
}

test('what is told apart stays apart, and a row that comes twice counts once', () => {
  const twice = row({ startedAt: HOUR_MS, costMicrodollars: 5, userId: 'a', team: 't1', teams: 't2 t3' })
  append([twice, row({ startedAt: HOUR_MS + 1, costMicrodollars: 7 }), row({ startedAt: HOUR_MS, keyId: 'other' })])
  append([twice])
  expect(spentIn(database, { startMs: 0, endMs: DAY_MS })).toEqual([
    { ...group, cost: 7 },
    { ...group, userId: 'a', team: 't1', teams: 't2 t3', cost: 5 },
    { ...group, keyId: 'other', cost: 1 },
  ])
})

test('rows that come again, alone or among new ones, count once', () => {
  const chunks = fc.array(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 30 }), { maxLength: 6 })
  fc.assert(
    fc.property(chunks, (all) => {
      database.exec('DELETE FROM usage; DELETE FROM spent_hour')
      const appended = all.map((ids) => append(ids.map((id) => row({ requestId: `q${id}`, startedAt: HOUR_MS }))))
      const { size } = new Set(all.flat())
      expect([appended.reduce((sum, count) => sum + count, 0), sumIn(0, DAY_MS)]).toEqual([size, size])
    }),
    { numRuns: 60 },
  )
})

test('of any window it is what its rows add up to, also where an earlier version wrote some of them', () => {
  const times = fc.array(fc.integer({ min: 0, max: 5 * HOUR_MS }), { maxLength: 30 })
  const window = fc.tuple(fc.integer({ min: 0, max: 6 * HOUR_MS }), fc.integer({ min: 0, max: 6 * HOUR_MS }))
  fc.assert(
    fc.property(times, times, window, fc.integer({ min: 0, max: 6 * HOUR_MS }), (before, after, [one, other], now) => {
      database.exec('DELETE FROM usage')
      asBefore()
      append(before.map((startedAt) => row({ startedAt, costMicrodollars: 3 })))
      openUsageUpkeep(database, now)
      append(after.map((startedAt) => row({ startedAt, costMicrodollars: 5 })))
      const [startMs, endMs] = [Math.min(one, other), Math.max(one, other)]
      const inside = (all: readonly number[]) => all.filter((at) => at >= startMs && at < endMs).length
      expect(sumIn(startMs, endMs)).toBe(inside(before) * 3 + inside(after) * 5)
    }),
    { numRuns: 60 },
  )
})

test('rows of an earlier version after a rollback count at once, and once after they were added up', () => {
  append([row({ startedAt: HOUR_MS, costMicrodollars: 5 })])
  appendUncounted([row({ startedAt: HOUR_MS, costMicrodollars: 7 }), row({ startedAt: HOUR_MS + 1 })])
  const upkeep = openUsageUpkeep(database, 0)
  expect([sumIn(0, DAY_MS), sumIn(HOUR_MS + 1, DAY_MS), sumIn(2 * HOUR_MS, DAY_MS)]).toEqual([13, 1, 0])
  while (upkeep.step({ rowsBefore: 0, rollUpsBefore: 0 }));
  append([row({ startedAt: HOUR_MS })])
  expect([sumIn(0, DAY_MS), sumIn(2 * HOUR_MS, DAY_MS)]).toEqual([14, 0])
})

test('a trigger that once added up goes, and what it has added stays', () => {
  database.exec(`CREATE TRIGGER spent_of_usage AFTER INSERT ON usage BEGIN
    INSERT INTO spent_hour VALUES (NEW.started_at, 'k', '', '', '', 'm', 't', 'u', 100); END`)
  append([row({ startedAt: HOUR_MS, requestId: 'former', costMicrodollars: 0 })])
  openUsageUpkeep(database, 0)
  append([row({ startedAt: HOUR_MS })])
  expect(sumIn(0, DAY_MS)).toBe(101)
})

test('it outlives the rows, whose retention may be shorter than a window, and goes after 40 days', () => {
  append([row({ startedAt: HOUR_MS, costMicrodollars: 5 }), row({ startedAt: 20 * DAY_MS, costMicrodollars: 7 })])
  const upkeep = openUsageUpkeep(database, 20 * DAY_MS)
  const steps = () => {
    while (upkeep.step({ rowsBefore: 50 * DAY_MS, rollUpsBefore: 0 }));
  }
  steps()
  expect([sumIn(0, 30 * DAY_MS), database.prepare('SELECT COUNT(*) FROM usage').pluck().get()]).toEqual([12, 0])
  append([row({ startedAt: 45 * DAY_MS })])
  steps()
  expect(sumIn(0, 60 * DAY_MS)).toBe(8)
})

test('a thread reads it as it was when it began: rows may be written meanwhile', async () => {
  append([row({ startedAt: HOUR_MS })])
  const windows = [
    { startMs: 0, endMs: DAY_MS },
    { startMs: 2 * HOUR_MS, endMs: DAY_MS },
  ]
  const { rows } = await readSpent(place.file('gate.db'), windows, new AbortController().signal)
  append([row({ startedAt: HOUR_MS }), row({ startedAt: 3 * HOUR_MS })])
  expect(await rows).toEqual([[{ ...group, cost: 1 }], []])
})

test('a thread that cannot read says so, and one that is ended', async () => {
  const none = new AbortController()
  await expect(readSpent(place.file('absent.db'), [], none.signal)).rejects.toThrow()
  await expect(readSpent(place.file('gate.db'), [], AbortSignal.abort())).rejects.toThrow('cut off')
})
