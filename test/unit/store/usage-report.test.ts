import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { UsageRow } from '../../../daemon/meter/usage.ts'
import { alike } from '../../../store/sqlite/alike.ts'
import { type Database, openDatabase } from '../../../store/sqlite/database.ts'
import { readUsage } from '../../../store/sqlite/read-usage.ts'
import { openRollUps } from '../../../store/sqlite/roll-ups.ts'
import { usageReport, type Wanted } from '../../../store/sqlite/usage-report.ts'
import { openUsageStore } from '../../../store/sqlite/usage-store.ts'
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

const row = (more: Partial<UsageRow>): UsageRow =>
  usageRow({ startedAt: 1_000, inputTokens: 10, outputTokens: 2, durationMs: 100, ...more })
const counts = {
  requests: 1,
  failed: 0,
  cancelled: 0,
  estimated: 0,
  input_tokens: 10,
  output_tokens: 2,
  cached_tokens: 0,
  cost_microdollars: 0,
  unpriced: 0,
  median_ms: 108, // of 91 to 128
}
const NONE = {
  failed: 0,
  cancelled: 0,
  estimated: 0,
  input_tokens: 0,
  output_tokens: 0,
  cached_tokens: 0,
  cost_microdollars: 0,
  unpriced: 0,
}
const HOUR_MS = 3_600_000
const reportOf = (rows: readonly UsageRow[], since = 0, of?: Wanted['of']) => {
  openUsageStore(database).append(rows)
  return usageReport(database, { since, until: HOUR_MS, ...(of !== undefined && { of }) })
}

test('C8: nothing used', () => {
  const { series, ...report } = reportOf([])
  expect(report).toEqual({
    total: { ...NONE, requests: 0 },
    models: [],
    keys: [],
    upstreams: [],
    users: [],
    people: [],
    teams: [],
    categories: [],
    isCounting: false,
  })
  expect(series.at(-1)).toEqual({
    at: '1970-01-01T01:00:00.000Z',
    requests: 0,
    input_tokens: 0,
    output_tokens: 0,
    cost_microdollars: 0,
  })
})

test('C8: a request that was tried at two upstreams counts once, and at both of them', () => {
  const report = reportOf([
    row({ upstream: 'a', outcome: 'failed', inputTokens: 0, outputTokens: 0, durationMs: 30 }),
    row({ attempt: 2, upstream: 'b', startedAt: 1_050 }),
  ])
  const once = counts
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
  expect(total.median_ms).toBe(outcome === 'ok' ? 108 : undefined)
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
    row({ requestId: '2', model: 'unknown', attempt: 2 }),
  ])
  expect(total).toMatchObject({ requests: 2, cost_microdollars: 12, unpriced: 1 })
  expect(models.map(({ name, cost_microdollars: cost, unpriced }) => [name, cost, unpriced])).toEqual([
    ['m', 12, 0],
    ['unknown', 0, 1],
  ])
})

test('sums are those of the rows, wherever in an hour or a day the report begins (property)', () => {
  const request = fc.record({
    startedAt: fc.nat(4 * 24 * HOUR_MS),
    keyId: fc.constantFrom('k', 'l'),
    userId: fc.constantFrom('', 'ann'),
    attempts: fc.array(
      fc.record({
        upstream: fc.constantFrom('u', 'v'),
        inputTokens: fc.nat(1_000),
        durationMs: fc.nat(2_000_000),
        costMicrodollars: fc.nat(1_000),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    end: fc.constantFrom('ok', 'failed', 'cancelled' as const),
  })
  fc.assert(
    fc.property(fc.array(request, { maxLength: 20 }), fc.nat(4 * 24 * HOUR_MS), (requests, since) => {
      for (const table of ['usage', 'usage_hour', 'usage_day']) database.exec(`DELETE FROM ${table}`)
      const rows = requests.flatMap(({ attempts, end, ...asked }, id) =>
        attempts.map((each, index) => {
          const outcome = index === attempts.length - 1 ? end : 'failed'
          return row({ ...asked, ...each, requestId: String(id), attempt: index + 1, outcome } as UsageRow)
        }),
      )
      const { total, keys, people, upstreams } = reportOf(rows, since)
      const asked = requests.filter(({ startedAt }) => startedAt >= since)
      expect(total.requests).toBe(asked.length)
      expect(total.cancelled).toBe(asked.filter(({ end }) => end === 'cancelled').length)
      expect(total.failed).toBe(asked.filter(({ end }) => end === 'failed').length)
      const spent = asked.flatMap(({ attempts }) => attempts).reduce((sum, each) => sum + each.costMicrodollars, 0)
      expect(total.cost_microdollars).toBe(spent)
      for (const parts of [keys, upstreams])
        expect(parts.reduce((sum, { cost_microdollars: cost }) => sum + cost, 0)).toBe(spent)
      const ann = asked.filter(({ userId }) => userId === 'ann').length
      expect(people.reduce((sum, { requests: own }) => sum + own, 0)).toBe(ann)
      expect(reportOf([], since, { userId: 'ann' }).total.requests).toBe(ann)
    }),
    { numRuns: 100 },
  )
})

test('a median is that of its column, which is 1.4 times as wide as it begins (property)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 600_000 })), {
        minLength: 1,
        maxLength: 9,
      }),
      (durations) => {
        for (const table of ['usage', 'usage_hour', 'usage_day']) database.exec(`DELETE FROM ${table}`)
        const rows = durations.map((durationMs, id) => row({ requestId: String(id), durationMs }))
        const sorted = durations.toSorted((one, other) => one - other)
        const middle = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0
        const { median_ms: median = 0 } = reportOf(rows).total
        // whole milliseconds: of 2 ms the end of the column is 3
        expect(median).toBeGreaterThanOrEqual(Math.round(middle / Math.SQRT2))
        expect(median).toBeLessThanOrEqual(Math.round(middle * Math.SQRT2))
      },
    ),
    { numRuns: 50 },
  )
})

test('C8: a thread reads it; a caller who leaves ends it; a database that is gone is an error', async () => {
  openUsageStore(database).append([row({})])
  const { signal } = new AbortController()
  const all = { since: 0, until: HOUR_MS }
  await expect(readUsage(place.file('gate.db'), all, signal)).resolves.toMatchObject({ total: counts })
  await expect(readUsage(place.file('gate.db'), all, AbortSignal.abort())).rejects.toThrow('cut off')
  await expect(readUsage(place.file('nothing.db'), all, signal)).rejects.toThrow()
})

test('what clients make up is told apart up to a number for each key and hour; then it is that of others', () => {
  const rollUps = openRollUps(database, 3)
  const names = ['a', 'b', 'c', 'd', 'e', 'a', 'f']
  const of = (keyId: string) => names.map((endUser) => row({ keyId, endUser, model: `model of ${endUser}` }))
  rollUps.add(alike(of('k')))
  rollUps.add(alike([...of('k'), ...of('other').slice(0, 3)]))
  const { users, models, total } = usageReport(database, { since: 0, until: 1_000 })
  const counted = (groups: readonly { readonly name: string; readonly requests: number }[]) =>
    Object.fromEntries(groups.map(({ name, requests }) => [name, requests]))
  expect(counted(users)).toEqual({ a: 5, b: 3, c: 3, '*': 6 })
  expect(counted(models)).toEqual({ 'model of a': 5, 'model of b': 3, 'model of c': 3, '*': 6 })
  expect(total.requests).toBe(17)
})

test('before the usage log has its indexes no row is looked for, and the report says so', () => {
  openUsageStore(database).append([row({})])
  database.exec('DROP INDEX usage_started_at')
  const report = usageReport(database, { since: 1, until: 2_000 })
  expect([report.isCounting, report.total.requests]).toEqual([true, 0])
})
