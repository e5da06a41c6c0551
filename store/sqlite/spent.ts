import type { SpentRow } from '../../daemon/admit/spending.ts'
import type { Window } from '../../daemon/admit/window.ts'
import type { Database } from './database.ts'

/** What usage rows of a window have cost, added up by all that budgets tell them apart by. */
export function spentIn(database: Database, { startMs, endMs }: Window): SpentRow[] {
  const rows = database.prepare<[number, number], SpentRow>(
    `SELECT key_id AS keyId, user_id AS userId, team, model, target_model AS targetModel, upstream, SUM(cost_microdollars) AS cost FROM usage
     WHERE started_at >= ? AND started_at < ? AND cost_microdollars > 0 GROUP BY key_id, user_id, team, model, target_model, upstream`,
  )
  return rows.all(startMs, endMs)
}
