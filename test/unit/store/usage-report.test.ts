import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { UsageRow } from '../../../daemon/meter/usage.ts'
import { type Database, openDatabase } from '../../../store/sqlite/database.ts'
import { readUsage } from '../../../store/sqlite/read-usage.ts'
import { usageReport } from '../../../store/sqlite/usage-report.ts'
import { openUsageStore } from '../../../store/sqlite/usage-store.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

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

const row = (more: Partial<UsageRow>): UsageRow => ({
  requestId: 'r',
  attempt: 1,
  startedAt: 1_000,
  keyId: 'k',
  model: 'm',
  upstream: 'u',
  targetModel: 't',
  status: 200,
  outcome: 'ok',
  inputTokens: 10,
  outputTokens: 2,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  estimated: false,
  costMicrodollars: 0,
  unpriced: false,
  endUser: '',
  durationMs: 100,
  ttftMs: null,
  ...more,
})
const counts = {
  requests: 1,
  failed: 0,
  cancelled: 0,
  estimated: 0,
  input_tokens: 10,
  output_tokens: 2,
  cost_microdollars: 0,
  unpriced: 0,
  median_ms: 100,
}
const NONE = {
  failed: 0,
  cancelled: 0,
  estimated: 0,
  input_tokens: 0,
  output_tokens: 0,
  cost_microdollars: 0,
  unpriced: 0,
}
const reportOf = (rows: readonly UsageRow[], since = 0) => {
  openUsageStore(database).append(rows)
  return usageReport(database, since)
}

test('C8: nothing used', () => {
  expect(reportOf([])).toEqual({
    total: { ...NONE, requests: 0 },
    models: [],
    keys: [],
    upstreams: [],
    users: [],
  })
})

test('C8: a request that was tried at two upstreams counts once, and at both of them', () => {
  const report = reportOf([
    row({ upstream: 'a', outcome: 'failed', inputTokens: 0, outputTokens: 0, durationMs: 30 }),
    row({ attempt: 2, upstream: 'b', startedAt: 1_050 }),
  ])
  const once = { ...counts, median_ms: 150 }
  expect(report.total).toEqual(once)
  expect(report.models).toEqual([{ name: 'm', ...once }])
  expect(report.keys).toEqual([{ name: 'k', ...once }])
  expect(report.upstreams).toEqual([
    { ...NONE, name: 'a', requests: 1, failed: 1 },
    { name: 'b', ...counts },
  ])
})

test('users of programs are those that were named', () => {
  const { users } = reportOf([
    row({ requestId: '1', endUser: 'ann' }),
    row({ requestId: '1', endUser: 'ann', attempt: 2 }),
    row({ requestId: '2', endUser: 'bob' }),
    row({ requestId: '3', endUser: 'ann' }),
    row({ requestId: '4' }),
  ])
  expect(users.map(({ name, requests }) => [name, requests])).toEqual([
    ['ann', 2],
    ['bob', 1],
  ])
})

test.each([
  { outcome: 'ok', failed: 0, cancelled: 0 },
  { outcome: 'refused', failed: 1, cancelled: 0 },
  { outcome: 'failed', failed: 1, cancelled: 0 },
  { outcome: 'truncated', failed: 1, cancelled: 0 },
  { outcome: 'cancelled', failed: 0, cancelled: 1 },
] as const)('C8: a request that ended $outcome', ({ outcome, failed, cancelled }) => {
  const { total } = reportOf([row({ outcome })])
  expect(total).toMatchObject({ requests: 1, failed, cancelled })
  expect(total.median_ms).toBe(outcome === 'ok' ? 100 : undefined)
})

test('C8: what began before is left out, and the busiest come first', () => {
  const report = reportOf(
    [
      row({ requestId: '1', startedAt: 999 }),
      row({ requestId: '2', model: 'rare', estimated: true }),
      row({ requestId: '3', model: 'busy' }),
      row({ requestId: '4', model: 'busy' }),
    ],
    1_000,
  )
  expect(report.total).toMatchObject({ requests: 3, estimated: 1 })
  expect(report.models.map(({ name, requests }) => [name, requests])).toEqual([
    ['busy', 2],
    ['rare', 1],
  ])
})

test('costs add up, those of attempts that failed, too; what has no price is counted', () => {
  const { total, models } = reportOf([
    row({ requestId: '1', outcome: 'truncated', costMicrodollars: 5 }),
    row({ requestId: '1', attempt: 2, costMicrodollars: 7 }),
    row({ requestId: '2', model: 'unknown', unpriced: true }),
    row({ requestId: '2', model: 'unknown', attempt: 2, unpriced: true }),
  ])
  expect(total).toMatchObject({ requests: 2, cost_microdollars: 12, unpriced: 1 })
  expect(models.map(({ name, cost_microdollars: cost, unpriced }) => [name, cost, unpriced])).toEqual([
    ['m', 12, 0],
    ['unknown', 0, 1],
  ])
})

test('C8: sums and medians are those of the rows (property)', () => {
  const attempt = fc.record({
    requestId: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    attempt: fc.integer({ min: 1, max: 3 }),
    upstream: fc.constantFrom('u', 'v'),
    inputTokens: fc.nat(1_000),
    durationMs: fc.nat(20),
    outcome: fc.constantFrom('ok', 'failed', 'cancelled' as const),
  })
  const once = fc.uniqueArray(attempt, { selector: ({ requestId, attempt: nth }) => `${requestId}${nth}` })
  fc.assert(
    fc.property(once, (attempts) => {
      database.exec('DELETE FROM usage')
      const { total, upstreams } = reportOf(attempts.map((each) => row({ ...each, startedAt: 0 }) as UsageRow))
      const byRequest = [...Map.groupBy(attempts, ({ requestId }) => requestId).values()]
      const lasts = byRequest.map((own) => own.reduce((one, other) => (one.attempt > other.attempt ? one : other)))
      const answered = lasts.filter(({ outcome }) => outcome === 'ok').map(({ durationMs }) => durationMs)
      const median = answered.sort((one, other) => one - other)[Math.ceil(answered.length / 2) - 1]
      expect(total.requests).toBe(byRequest.length)
      expect(total.failed + total.cancelled + answered.length).toBe(byRequest.length)
      expect(total.median_ms).toBe(median)
      const tokens = attempts.reduce((sum, { inputTokens }) => sum + inputTokens, 0)
      expect(total.input_tokens).toBe(tokens)
      expect(upstreams.reduce((sum, { input_tokens }) => sum + input_tokens, 0)).toBe(tokens)
    }),
    { numRuns: 100 },
  )
})

test('C8: a thread reads it; a caller who leaves ends it; a database that is gone is an error', async () => {
  openUsageStore(database).append([row({})])
  const { signal } = new AbortController()
  await expect(readUsage(place.file('gate.db'), 0, signal)).resolves.toMatchObject({ total: counts })
  await expect(readUsage(place.file('gate.db'), 0, AbortSignal.abort())).rejects.toThrow('cut off')
  await expect(readUsage(place.file('nothing.db'), 0, signal)).rejects.toThrow()
})
