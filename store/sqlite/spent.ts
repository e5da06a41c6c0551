import type { SpentRow } from '../../daemon/admit/spending.ts'
import type { Window } from '../../daemon/admit/window.ts'
import type { Database } from './database.ts'
import { SPENT_COLUMNS, SPENT_HOUR_MS } from './tables/spent.ts'

const COLUMNS = SPENT_COLUMNS.join(', ')
const OF_ROWS = `SELECT ${COLUMNS}, cost_microdollars AS cost FROM usage
  WHERE cost_microdollars > 0 AND started_at >= ? AND started_at < ?`
const OF_HOURS = `SELECT ${COLUMNS}, microdollars AS cost FROM spent_hour WHERE hour >= ? AND hour < ?`

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
     FROM (${OF_ROWS} UNION ALL ${OF_HOURS} UNION ALL ${OF_ROWS}) GROUP BY ${COLUMNS}`,
  )
  return rows.all(startMs, from, from, to, to, endMs)
}
