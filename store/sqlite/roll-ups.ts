import type { UsageRow } from '../../daemon/meter/usage.ts'
import type { Database } from './database.ts'
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
  | 'endUser'
  | 'model'
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
function groupOf(row: Counted): readonly string[] {
  return [row.keyId, row.userId, row.team, row.endUser, row.model, row.category, row.upstream, row.provider]
}

/** Adds attempts to the roll-ups. Call it in the transaction that writes their rows, so that each is counted once. */
export function openRollUps(database: Database): { readonly add: (rows: readonly Counted[]) => void } {
  const writers = ROLL_UPS.map((rollUp) => ({ rollUp, upsert: database.prepare(upsertOf(rollUp)) }))
  return {
    add(rows) {
      for (const { rollUp, upsert } of writers) {
        for (const { key, sums } of summed(rows, rollUp.lengthMs)) {
          upsert.run(...key, ...COUNT_COLUMNS.map((name) => sums[name]), ...sums.durations)
        }
      }
    },
  }
}

function summed(rows: readonly Counted[], lengthMs: number) {
  const all = new Map<string, { readonly key: readonly (string | number)[]; readonly sums: Sums }>()
  for (const row of rows) {
    const key = [row.startedAt - (row.startedAt % lengthMs), ...groupOf(row)]
    const id = JSON.stringify(key)
    const known = all.get(id) ?? { key, sums: noSums() }
    all.set(id, known)
    addAttempt(known.sums, row)
  }
  return all.values()
}

function upsertOf({ table, begin }: RollUp): string {
  const sums = [...COUNT_COLUMNS, ...DURATION_COLUMNS]
  const columns = [begin, ...GROUP_COLUMNS, ...sums]
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ON CONFLICT DO UPDATE SET ${sums.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`
}
