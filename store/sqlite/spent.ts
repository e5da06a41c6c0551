import type { SpentRow } from '../../daemon/admit/spending.ts'
import type { Window } from '../../daemon/admit/window.ts'
import type { Database } from './database.ts'
import { SPENT_COLUMNS, SPENT_HOUR_MS } from './tables/spent.ts'

const COLUMNS = SPENT_COLUMNS.join(', ')
const OF_ROWS = `SELECT ${COLUMNS}, cost_microdollars AS cost FROM usage
  WHERE cost_microdollars > 0 AND started_at >= ? AND started_at < ?`
const OF_HOURS = `SELECT ${COLUMNS}, microdollars AS cost FROM spent_hour WHERE hour >= ? AND hour < ?`
/** Rows of an earlier version, which are added up later. */
const UNCOUNTED = `${OF_ROWS} AND rolled_up = 0`

/**
 * What requests of a window have cost, added up by all that budgets tell them apart by: whole hours from their sums, and
 * the rows of hours that are cut, or older than the sums.
 */
export function spentIn(database: Database, { startMs, endMs }: Window): SpentRow[] {
  const since = database.prepare<[], number>('SELECT hour FROM spent_since').pluck().get() ?? Number.MAX_SAFE_INTEGER
  const from = Math.min(endMs, Math.max(since, Math.ceil(startMs / SPENT_HOUR_MS) * SPENT_HOUR_MS))
  const to = Math.max(from, Math.floor(endMs / SPENT_HOUR_MS) * SPENT_HOUR_MS)
  const rows = database.prepare<number[], SpentRow>(
    `SELECT key_id AS keyId, user_id AS userId, team, teams, model, target_model AS targetModel, upstream, SUM(cost) AS cost
     FROM (${OF_ROWS} UNION ALL ${OF_HOURS} UNION ALL ${UNCOUNTED} UNION ALL ${OF_ROWS}) GROUP BY ${COLUMNS}`,
  )
  return rows.all(startMs, from, from, to, from, to, to, endMs)
}

/** What requests of an hour cost; `spent` in the order of SPENT_COLUMNS. */
type Summed = {
  readonly begin: number
  readonly spent: readonly string[]
  readonly sums: { readonly cost_microdollars: number }
}

/** Adds to the sums, in the transaction that writes the rows. */
export function openSpent(database: Database): { readonly add: (hours: readonly Summed[]) => void } {
  const add = database.prepare(`INSERT INTO spent_hour (hour, ${COLUMNS}, microdollars)
    VALUES (?, ${SPENT_COLUMNS.map(() => '?').join(', ')}, ?)
    ON CONFLICT DO UPDATE SET microdollars = microdollars + excluded.microdollars`)
  return {
    add(hours) {
      for (const { begin, spent, sums } of hours) {
        if (sums.cost_microdollars > 0) add.run(begin, ...spent, sums.cost_microdollars)
      }
    },
  }
}
