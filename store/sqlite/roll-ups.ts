import type { UsageRow } from '../../daemon/meter/usage.ts'
import { hourOf } from './alike.ts'
import type { Database } from './database.ts'
import { openSpent } from './spent.ts'
import { COUNT_COLUMNS, DURATION_COLUMNS, GROUP_COLUMNS, ROLL_UPS, type RollUp } from './tables/usage.ts'

export type GroupColumn = (typeof GROUP_COLUMNS)[number]
export type CountColumn = (typeof COUNT_COLUMNS)[number]

/** What of an attempt is counted. Durations are milliseconds, times Unix milliseconds. */
export type Counted = Pick<
  UsageRow,
  | 'attempt'
  | 'startedAt'
  | 'keyId'
  | 'userId'
  | 'team'
  | 'teams'
  | 'endUser'
  | 'model'
  | 'targetModel'
  | 'category'
  | 'upstream'
  | 'provider'
  | 'outcome'
  | 'inputTokens'
  | 'outputTokens'
  | 'cachedTokens'
  | 'cacheWriteTokens'
  | 'reasoningTokens'
  | 'costMicrodollars'
  | 'durationMs'
> & { readonly estimated: boolean | number; readonly unpriced: boolean | number }

/** What some attempts together come to; `durations` counts those that were answered by how long they took. */
export type Sums = Record<CountColumn, number> & { readonly durations: number[] }

export function noSums(): Sums {
  const counts = Object.fromEntries(COUNT_COLUMNS.map((name) => [name, 0])) as Record<CountColumn, number>
  return { ...counts, durations: DURATION_COLUMNS.map(() => 0) }
}

export function addAttempt(sums: Sums, row: Counted): void {
  sums.attempts += 1
  if (row.attempt === 1) sums.requests += 1
  if (row.outcome === 'cancelled') sums.cancelled += 1
  sums.estimated += Number(row.estimated)
  sums.unpriced += Number(row.unpriced)
  sums.input_tokens += row.inputTokens
  sums.output_tokens += row.outputTokens
  sums.cached_tokens += row.cachedTokens
  sums.cache_write_tokens += row.cacheWriteTokens
  sums.reasoning_tokens += row.reasoningTokens
  sums.cost_microdollars += row.costMicrodollars
  sums.duration_ms += row.durationMs
  if (row.outcome !== 'ok') return
  sums.answered += 1
  const at = durationIndex(row.durationMs)
  sums.durations[at] = (sums.durations[at] ?? 0) + 1
}

/** The column that counts a duration. */
function durationIndex(ms: number): number {
  return Math.min(DURATION_COLUMNS.length - 1, Math.max(0, Math.floor(2 * Math.log2(Math.max(1, ms)))))
}

/** What an attempt is told apart by, in the order of GROUP_COLUMNS. */
const groupOf = (row: Counted): readonly string[] => [
  row.keyId,
  row.userId,
  row.team,
  row.endUser,
  row.model,
  row.category,
  row.upstream,
  row.provider,
]

/**
 * What of one key is told apart in one hour or day. Clients choose what their users are called, and some upstreams take
 * any model: what comes later is counted as that of others.
 */
const MOST_OF_KEY = 1_000
const OTHERS = '*'
const CHOSEN_BY_CLIENTS: ReadonlySet<string> = new Set(['end_user', 'model'])

/** What budgets tell an attempt apart by, in the order of SPENT_COLUMNS. */
const spentOf = (row: Counted): readonly string[] => [
  row.keyId,
  row.userId,
  row.team,
  row.teams,
  row.model,
  row.targetModel,
  row.upstream,
]

/** The attempts of one group that began in the time from `begin`, Unix milliseconds. */
type Grouped = { readonly begin: number; readonly group: readonly string[]; readonly sums: Sums }

/** Attempts that are alike. `spent`: see SPENT_COLUMNS. */
export type Summed = Grouped & { readonly spent: readonly string[] }

/** Adds attempts, in lists of those that are alike, to the roll-ups and to what is spent. Call it in the transaction that writes their rows, so that each is counted once. */
export function openRollUps(
  database: Database,
  mostOfKey = MOST_OF_KEY,
): { readonly add: (rows: readonly (readonly Counted[])[]) => void } {
  const writers = [...ROLL_UPS.map((rollUp) => openRollUp(database, rollUp, mostOfKey)), openSpent(database).add]
  return {
    add(rows) {
      const hours = rows.flatMap(sumOf)
      for (const add of writers) add(hours)
    },
  }
}

function openRollUp(database: Database, rollUp: RollUp, mostOfKey: number): (hours: readonly Grouped[]) => void {
  const { table, begin: column, lengthMs } = rollUp
  const upsert = database.prepare(upsertOf(rollUp))
  const isThere = database.prepare(
    `SELECT 1 FROM ${table} WHERE ${[column, ...GROUP_COLUMNS].map((name) => `${name} = ?`).join(' AND ')}`,
  )
  const count = database.prepare(`SELECT COUNT(*) FROM ${table} WHERE ${column} = ? AND key_id = ?`).pluck()

  return (hours) => {
    const counts = new Map<string, number>()
    for (const { begin, group, sums } of longer(hours, lengthMs)) {
      const place = placeOf(begin, group, counts)
      upsert.run(begin, ...place, ...COUNT_COLUMNS.map((name) => sums[name]), ...sums.durations)
    }
  }

  function placeOf(begin: number, group: readonly string[], counts: Map<string, number>): readonly string[] {
    if (isThere.get(begin, ...group) !== undefined) return group
    const [keyId = ''] = group
    const ofKey = `${begin} ${keyId}`
    const known = counts.get(ofKey) ?? Number(count.get(begin, keyId))
    counts.set(ofKey, known + 1)
    if (known < mostOfKey) return group
    return group.map((value, at) => (CHOSEN_BY_CLIENTS.has(GROUP_COLUMNS[at] ?? '') ? OTHERS : value))
  }
}

const HOUR_MS = 3_600_000

/** @param rows that are alike, one at least */
function sumOf(rows: readonly Counted[]): readonly Summed[] {
  const [first] = rows
  if (first === undefined) return []
  const sums = noSums()
  for (const row of rows) addAttempt(sums, row)
  return [{ begin: hourOf(first), group: groupOf(first), spent: spentOf(first), sums }]
}

/** By what roll-ups tell apart, in times of so many milliseconds, which are whole hours. */
function longer(hours: readonly Grouped[], lengthMs: number): Iterable<Grouped> {
  if (hours.length === 1 && lengthMs === HOUR_MS) return hours
  const all = new Map<string, Grouped>()
  for (const { begin: hour, group, sums } of hours) {
    const begin = hour - (hour % lengthMs)
    const id = JSON.stringify([begin, group])
    const known = all.get(id) ?? { begin, group, sums: noSums() }
    all.set(id, known)
    addSums(known.sums, sums)
  }
  return all.values()
}

function addSums(sums: Sums, more: Sums): void {
  for (const name of COUNT_COLUMNS) sums[name] += more[name]
  for (const [i, count] of more.durations.entries()) sums.durations[i] = (sums.durations[i] ?? 0) + count
}

function upsertOf({ table, begin }: RollUp): string {
  const sums = [...COUNT_COLUMNS, ...DURATION_COLUMNS]
  const columns = [begin, ...GROUP_COLUMNS, ...sums]
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ON CONFLICT DO UPDATE SET ${sums.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`
}
