import type { UsageCounts, UsageGroup, UsagePoint } from '../../schemas/admin-usage.ts'
import type { Database } from './database.ts'
import { addAttempt, type CountColumn, type Counted, type GroupColumn, noSums, type Sums } from './roll-ups.ts'
import { COUNT_COLUMNS, DURATION_COLUMNS, GROUP_COLUMNS, ROLL_UPS, type RollUp } from './tables/usage.ts'
import { isPrepared } from './usage-preparation.ts'

/** Most groups of one kind in a report: the busiest. */
const MOST_GROUPS = 1_000

/** Which rows are reported; times are Unix milliseconds. */
export type Wanted = {
  readonly since: number
  /** The time of now: what comes after it is reported, too. */
  readonly until: number
  /** Only of one person, or of one key. */
  readonly of?: { readonly userId: string } | { readonly keyId: string }
}

/** The total, and the busiest of each kind; keys, users and teams are named by their ids. */
export type Report = {
  readonly total: UsageCounts
  readonly models: UsageGroup[]
  readonly keys: UsageGroup[]
  readonly upstreams: UsageGroup[]
  /** Of programs that say who their users are. */
  readonly users: UsageGroup[]
  readonly people: UsageGroup[]
  readonly teams: UsageGroup[]
  readonly categories: UsageGroup[]
  /** The same in the course of time. */
  readonly series: UsagePoint[]
  /** Rows of an earlier version are not counted yet. */
  readonly isCounting: boolean
}

/** What comes to one report: the rows of a part of an hour, the hours of a part of a day, and days. */
type Group = Record<GroupColumn, string> & Sums

/** Names of one kind that are added up apart; of more, which clients have made up, the rest is one. */
const MOST_NAMES = 50_000
const OTHERS = '*'

/**
 * What was used from `since` on. Read from the roll-ups: the time it takes depends on how many keys and models there
 * are, not on the number of rows.
 */
export function usageReport(database: Database, wanted: Wanted): Report {
  const [hours, days] = ROLL_UPS
  const hasRows = isPrepared(database)
  const firstHour = Math.ceil(wanted.since / hours.lengthMs) * hours.lengthMs
  const firstDay = Math.ceil(firstHour / days.lengthMs) * days.lengthMs
  const total = noSums()
  const columns = GROUP_COLUMNS.map((column) => ({ column, sums: new Map<string, Sums>() }))
  const add = (group: Group) => {
    addSums(total, group)
    for (const { column, sums } of columns) addSums(sumsOf(sums, group[column]), group)
  }
  if (hasRows) for (const group of rowsBetween(database, wanted, wanted.since, firstHour)) add(group)
  for (const group of rolledUp(database, wanted, hours, firstHour, firstDay)) add(group)
  for (const group of rolledUp(database, wanted, days, firstDay, Number.MAX_SAFE_INTEGER)) add(group)
  const by = (wantedColumn: GroupColumn, hasNone: boolean, isOfUpstream = false): UsageGroup[] => {
    const sums = columns.find(({ column }) => column === wantedColumn)?.sums ?? new Map<string, Sums>()
    return shownGroups(sums, hasNone, isOfUpstream)
  }
  return {
    total: shown(total, total.requests),
    models: by('model', true),
    keys: by('key_id', true),
    upstreams: by('upstream', true, true),
    users: by('end_user', false),
    people: by('user_id', false),
    teams: by('team', false),
    categories: by('category', false),
    series: seriesOf(database, wanted, hasRows),
    isCounting: !hasRows || database.prepare('SELECT 1 FROM usage WHERE rolled_up = 0 LIMIT 1').get() !== undefined,
  }
}

function sumsOf(all: Map<string, Sums>, wanted: string): Sums {
  const name = all.size < MOST_NAMES || all.has(wanted) ? wanted : OTHERS
  const known = all.get(name)
  if (known !== undefined) return known
  const sums = noSums()
  all.set(name, sums)
  return sums
}

function conditionOf({ of }: Wanted): readonly [sql: string, values: readonly string[]] {
  if (of === undefined) return ['', []]
  return 'userId' in of ? [' AND user_id = ?', [of.userId]] : [' AND key_id = ?', [of.keyId]]
}

type RollUpRow = Record<GroupColumn, string> & Record<CountColumn, number> & Record<string, number | string>

function* rolledUp(
  database: Database,
  wanted: Wanted,
  { table, begin }: RollUp,
  from: number,
  to: number,
): Generator<Group> {
  const [condition, values] = conditionOf(wanted)
  const sums = [...COUNT_COLUMNS, ...DURATION_COLUMNS].map((name) => `SUM(${name}) AS ${name}`)
  const groups = GROUP_COLUMNS.join(', ')
  const rows = database
    .prepare<unknown[], RollUpRow>(
      `SELECT ${groups}, ${sums.join(', ')} FROM ${table} WHERE ${begin} >= ? AND ${begin} < ?${condition}
       GROUP BY ${groups}`,
    )
    .iterate(from, to, ...values)
  for (const row of rows) yield { ...row, durations: DURATION_COLUMNS.map((name) => Number(row[name])) }
}

function rowsBetween(database: Database, wanted: Wanted, from: number, to: number): Group[] {
  const [condition, values] = conditionOf(wanted)
  const rows = database.prepare<unknown[], Counted & Record<GroupColumn, string>>(
    `SELECT key_id, user_id, team, end_user, model, category, upstream, provider, attempt, outcome,
       input_tokens AS inputTokens, output_tokens AS outputTokens, cached_tokens AS cachedTokens,
       cache_write_tokens AS cacheWriteTokens, reasoning_tokens AS reasoningTokens,
       cost_microdollars AS costMicrodollars, duration_ms AS durationMs, estimated, unpriced
     FROM usage WHERE started_at >= ? AND started_at < ? AND rolled_up = 1${condition}`,
  )
  const groups = new Map<string, Group>()
  for (const row of rows.iterate(from, to, ...values)) {
    const id = JSON.stringify(GROUP_COLUMNS.map((name) => row[name]))
    const known = groups.get(id) ?? { ...row, ...noSums() }
    groups.set(id, known)
    addAttempt(known, row)
  }
  return [...groups.values()]
}

function addSums(into: Sums, { durations, ...more }: Sums): void {
  for (const name of COUNT_COLUMNS) into[name] += more[name]
  for (const [at, count] of durations.entries()) into.durations[at] = (into.durations[at] ?? 0) + count
}

function shownGroups(all: ReadonlyMap<string, Sums>, hasNone: boolean, isOfUpstream: boolean): UsageGroup[] {
  return Array.from(all)
    .filter(([name]) => name !== '' || hasNone)
    .map(([name, sums]) => ({ name, ...shown(sums, isOfUpstream ? sums.attempts : sums.requests) }))
    .sort((one, other) => other.requests - one.requests || one.name.localeCompare(other.name, 'en'))
    .slice(0, MOST_GROUPS)
}

/** @param requests first attempts, or at an upstream all attempts: there each of them asked for an answer */
function shown(sums: Sums, requests: number): UsageCounts {
  const median = medianOf(sums.durations, sums.answered)
  return {
    requests,
    failed: Math.max(0, requests - sums.answered - sums.cancelled),
    cancelled: sums.cancelled,
    estimated: Math.min(requests, sums.estimated),
    input_tokens: sums.input_tokens,
    output_tokens: sums.output_tokens,
    cached_tokens: sums.cached_tokens,
    cost_microdollars: sums.cost_microdollars,
    unpriced: Math.min(requests, sums.unpriced),
    ...(median !== undefined && { median_ms: median }),
  }
}

/** As if durations were spread evenly, by their logarithm, over each column. */
function medianOf(durations: readonly number[], answered: number): number | undefined {
  if (answered === 0) return undefined
  let before = 0
  for (const [at, count] of durations.entries()) {
    const within = (answered / 2 - before) / count
    if (count > 0 && within <= 1) return Math.round(2 ** ((at + within) / 2))
    before += count
  }
  return undefined
}

const LONGEST_BY_HOUR_MS = 8 * 86_400_000
const SHORTEST_BY_HOUR_MS = 3 * 3_600_000
const ROWS_STEP_MS = 300_000

type Point = { readonly at: number } & Omit<UsagePoint, 'at'>

/** By five minutes, hours or days, whichever makes some dozens of points. */
function seriesOf(database: Database, wanted: Wanted, hasRows: boolean): UsagePoint[] {
  const [condition, values] = conditionOf(wanted)
  const [hours, days] = ROLL_UPS
  const spanMs = wanted.until - wanted.since
  const isOfRows = hasRows && spanMs < SHORTEST_BY_HOUR_MS
  const { table, begin, lengthMs } = spanMs < LONGEST_BY_HOUR_MS ? hours : days
  const stepMs = isOfRows ? ROWS_STEP_MS : lengthMs
  const from = Math.floor(wanted.since / stepMs) * stepMs
  const sql = isOfRows
    ? `SELECT started_at - started_at % ${stepMs} AS at, SUM(attempt = 1) AS requests,
         SUM(input_tokens) AS input_tokens, SUM(output_tokens) AS output_tokens,
         SUM(cost_microdollars) AS cost_microdollars
       FROM usage WHERE started_at >= ?${condition} GROUP BY 1`
    : `SELECT ${begin} AS at, SUM(requests) AS requests, SUM(input_tokens) AS input_tokens,
         SUM(output_tokens) AS output_tokens, SUM(cost_microdollars) AS cost_microdollars
       FROM ${table} WHERE ${begin} >= ?${condition} GROUP BY 1`
  const found = new Map(
    database
      .prepare<unknown[], Point>(sql)
      .all(from, ...values)
      .map((point) => [point.at, point]),
  )
  const none = { requests: 0, input_tokens: 0, output_tokens: 0, cost_microdollars: 0 }
  const count = Math.min(MOST_GROUPS, Math.floor((wanted.until - from) / stepMs) + 1)
  return Array.from({ length: Math.max(0, count) }, (_, n) => {
    const at = wanted.until - (wanted.until % stepMs) - (count - 1 - n) * stepMs
    return { ...none, ...found.get(at), at: new Date(at).toISOString() }
  })
}
