import type { UsageRow, UsageStore } from '../../daemon/meter/usage.ts'
import { snakeCase } from '../../schemas/words/key-names.ts'
import { USAGE_FIELDS } from '../usage-columns.ts'
import type { Database } from './database.ts'

/**
 * The usage log in the table `usage`. A retried row is ignored, so appending twice never counts twice.
 * @throws SqliteError (SQLITE_BUSY, SQLITE_FULL, …); then no row of the batch was written
 */
export function openUsageStore(database: Database): Pick<UsageStore, 'append'> {
  const columns = USAGE_FIELDS.map(snakeCase).join(', ')
  const places = USAGE_FIELDS.map(() => '?').join(', ')
  const insert = database.prepare(`INSERT OR IGNORE INTO usage (${columns}) VALUES (${places})`)
  const insertAll = database.transaction((rows: readonly UsageRow[]) => {
    for (const row of rows) insert.run(USAGE_FIELDS.map((field) => cell(row[field])))
  })
  return { append: (rows) => insertAll.immediate(rows) }
}

/** SQLite has no booleans. */
function cell(value: UsageRow[keyof UsageRow]): string | number | null {
  return typeof value === 'boolean' ? Number(value) : value
}
