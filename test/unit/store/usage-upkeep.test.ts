import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { UsageRow } from '../../../daemon/meter/usage.ts'
import { type Database, openDatabase } from '../../../store/sqlite/database.ts'
import { usageReport } from '../../../store/sqlite/usage-report.ts'
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

const DAY_MS = 86_400_000
const row = (requestId: string, more: Partial<UsageRow> = {}): UsageRow =>
  usageRow({
    requestId,
    startedAt: 10 * DAY_MS,
    inputTokens: 10,
    outputTokens: 2,
    costMicrodollars: 3,
    durationMs: 100,
    ...more,
  })
const all = { since: 0, until: 20 * DAY_MS }
const KEEP = { rowsBefore: 0, rollUpsBefore: 0 }
const count = (table: string) => Number(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get())

/** Rows as an earlier version writes them, which knows no roll-ups. */
function insertAsBefore(rows: number): void {
  database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ${rows})
    INSERT INTO usage (request_id, attempt, started_at, key_id, model, upstream, target_model, status, outcome,
      input_tokens, output_tokens, cached_tokens, reasoning_tokens, estimated, cost_microdollars, duration_ms)
    SELECT 'old' || i, 1, ${9 * DAY_MS} + i, 'k', 'm', 'u', 't', 200, 'ok', 1, 1, 0, 0, 0, 7, 5 FROM n`)
}

test('rows of an earlier version are counted once, in steps, and the report says that it is going on', () => {
  openUsageStore(database).append([row('new')])
  insertAsBefore(1_200)
  expect(usageReport(database, all)).toMatchObject({ total: { requests: 1 }, isCounting: true })
  const upkeep = openUsageUpkeep(database, 10 * DAY_MS)
  const steps = [upkeep.step(KEEP), upkeep.step(KEEP), upkeep.step(KEEP), upkeep.step(KEEP)]
  expect(steps).toEqual([true, true, false, false])
  expect(usageReport(database, all)).toMatchObject({
    total: { requests: 1_201, cost_microdollars: 1_200 * 7 + 3 },
    isCounting: false,
  })
  openUsageStore(database).append([row('new')])
  expect(usageReport(database, all).total.requests).toBe(1_201)
})

test('rows that are older than they are kept go in steps, and what they came to stays until it goes, too', () => {
  openUsageStore(database).append([row('new')])
  insertAsBefore(1_200)
  const upkeep = openUsageUpkeep(database, 10 * DAY_MS)
  const young = { rowsBefore: 10 * DAY_MS, rollUpsBefore: 0 }
  let steps = 0
  while (upkeep.step(young)) steps += 1
  expect(steps).toBeGreaterThan(3)
  expect([count('usage'), usageReport(database, all).total.requests]).toEqual([1, 1_201])
  while (upkeep.step({ ...young, rollUpsBefore: 10 * DAY_MS })) steps += 1
  expect([count('usage_hour'), count('usage_day'), usageReport(database, all).total.requests]).toEqual([1, 1, 1])
})

test('the queries over usage_log that a seed shows run as they are shown', () => {
  const at = Date.now() - 3_600_000
  const asked = { startedAt: at, userId: 'ann', category: 'chat' }
  openUsageStore(database).append([
    row('1', asked),
    row('2', { ...asked, durationMs: 300 }),
    row('2', { ...asked, attempt: 2, durationMs: 100, outcome: 'failed' }),
    row('3', { startedAt: at, model: 'other' }),
    row('4', { ...asked, startedAt: at - 2 * DAY_MS }),
    row('5', { ...asked, startedAt: at - 9 * DAY_MS }),
  ])
  const [users = '', models = ''] = readFileSync(new URL('../../seeds/usage-log.sql', import.meta.url), 'utf8')
    .split(';')
    .map((sql) => sql.trim())
  expect(database.prepare(users).all()).toEqual([
    { user_id: 'ann', requests: 2, total_tokens: 36 },
    { user_id: 'k', requests: 1, total_tokens: 12 },
  ])
  expect(database.prepare(models).all()).toEqual([
    { model_id: 'm', category_id: 'chat', requests: 3, avg_latency: 200 },
    { model_id: 'other', category_id: '', requests: 1, avg_latency: 100 },
  ])
})
