import type { UsageRow } from '../../daemon/meter/usage.ts'
import { snakeCase } from '../../schemas/words/key-names.ts'
import { USAGE_FIELDS } from '../usage-columns.ts'
import type { Database } from './database.ts'
import { openRollUps } from './roll-ups.ts'

/**
 * The usage log in the table `usage`, and what it comes to in the roll-ups. A retried row is ignored, so appending twice
 * never counts twice; `append` returns how many were new.
 * @throws SqliteError (SQLITE_BUSY, SQLITE_FULL, …); then no row of the batch was written or counted
 */
export function openUsageStore(database: Database): { readonly append: (rows: readonly UsageRow[]) => number } {
  const columns = USAGE_FIELDS.map(snakeCase).join(', ')
  const places = USAGE_FIELDS.map(() => '?').join(', ')
  const insert = database.prepare(`INSERT OR IGNORE INTO usage (${columns}, rolled_up) VALUES (${places}, 1)`)
  const rollUps = openRollUps(database)
  const cells: (string | number | null)[] = [] // of one row after the other
  const insertAll = database.transaction((rows: readonly UsageRow[]) => {
    const added = rows.filter((row) => {
      for (let i = 0; i < USAGE_FIELDS.length; i += 1) cells[i] = cell(row[USAGE_FIELDS[i] as keyof UsageRow])
      return insert.run(cells).changes > 0
    })
    rollUps.add(added)
    return added.length
  })
  return { append: (rows) => insertAll.immediate(rows) }
}

/** SQLite has no booleans. */
function cell(value: UsageRow[keyof UsageRow]): string | number | null {
  return typeof value === 'boolean' ? Number(value) : value
}
