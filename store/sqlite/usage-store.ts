import type { UsageRow } from '../../daemon/meter/usage.ts'
import { snakeCase } from '../../schemas/words/key-names.ts'
import { USAGE_FIELDS } from '../usage-columns.ts'
import type { Database } from './database.ts'

/**
 * The usage log in the table `usage`. A retried row is ignored, so appending twice never counts twice; `append` returns
 * how many were new.
 * @throws SqliteError (SQLITE_BUSY, SQLITE_FULL, …); then no row of the batch was written
 */
export function openUsageStore(database: Database): { readonly append: (rows: readonly UsageRow[]) => number } {
  const columns = USAGE_FIELDS.map(snakeCase).join(', ')
  const places = USAGE_FIELDS.map(() => '?').join(', ')
  const insert = database.prepare(`INSERT OR IGNORE INTO usage (${columns}) VALUES (${places})`)
  const insertAll = database.transaction((rows: readonly UsageRow[]) => {
    let added = 0
    for (const row of rows) added += insert.run(USAGE_FIELDS.map((field) => cell(row[field]))).changes
    return added
  })
  return { append: (rows) => insertAll.immediate(rows) }
}

/** SQLite has no booleans. */
function cell(value: UsageRow[keyof UsageRow]): string | number | null {
  return typeof value === 'boolean' ? Number(value) : value
}
