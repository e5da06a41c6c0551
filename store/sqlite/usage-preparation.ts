import type Sqlite from 'better-sqlite3'
import { SPENT_HOUR_MS } from './tables/spent.ts'

/**
 * Indexes of the usage log, and the sums of what is spent, from the next hour on. Of a table with millions of rows this
 * takes seconds, once; call it in no transaction that others wait for.
 * @param now Unix milliseconds
 */
export function prepareUsage(database: Sqlite.Database, now: number): void {
  database.exec('CREATE INDEX IF NOT EXISTS usage_started_at ON usage (started_at)')
  database.exec('CREATE INDEX IF NOT EXISTS usage_not_rolled_up ON usage (rolled_up) WHERE rolled_up = 0')
  database.transaction(() => {
    database.exec('DROP TRIGGER IF EXISTS spent_of_usage') // added rows up one by one, before they were added up here
    if (database.prepare('SELECT 1 FROM spent_since').get() !== undefined) return
    const newest = database.prepare<[], number | null>('SELECT MAX(started_at) + 1 FROM usage').pluck().get() ?? 0
    const since = Math.ceil(Math.max(now, newest) / SPENT_HOUR_MS) * SPENT_HOUR_MS
    database.prepare('INSERT INTO spent_since VALUES (?)').run(since)
  })()
}

const INDEXES = ['usage_started_at', 'usage_not_rolled_up']

/** Whether that is done, so that rows can be looked for. */
export function isPrepared(database: Sqlite.Database): boolean {
  const find = database.prepare<[string]>("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?")
  return INDEXES.every((name) => find.get(name) !== undefined)
}
