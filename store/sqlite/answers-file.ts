import { closeSync, existsSync, openSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { boundPageCache } from './page-cache.ts'

/**
 * Opens the file of what is known of earlier answers, made when it is missing. A file of its own: it grows and shrinks,
 * and losing it loses neither keys nor usage. @param schema of the tables that are used @throws Error when it cannot be opened
 */
export function openAnswersFile(file: string, schema: string): Sqlite.Database {
  if (!existsSync(file)) closeSync(openSync(file, 'ax', 0o600))
  const database = new Sqlite(file, { timeout: 1_000 })
  try {
    database.pragma('auto_vacuum = INCREMENTAL')
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    boundPageCache(database)
    database.exec(schema)
  } catch (error) {
    database.close()
    throw error
  }
  return database
}
