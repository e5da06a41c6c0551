import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { boundPageCache } from './page-cache.ts'
import { databaseError } from './remedy.ts'
import { ACCESS_TABLES } from './tables/access.ts'
import { AUDIT_TABLE } from './tables/audit.ts'
import { BATCH_TABLES, REFILL_TABLE } from './tables/money.ts'
import { PASSKEY_TABLE } from './tables/passkey.ts'
import { SIGN_IN_TABLES } from './tables/sign-in.ts'
import { SPENT_TABLES } from './tables/spent.ts'
import { ROLL_UP_TABLES, USAGE_LOG_VIEW } from './tables/usage.ts'
import { prepareUsage } from './usage-preparation.ts'

export type Database = Sqlite.Database

/**
 * The schema, one entry per version; `PRAGMA user_version` counts those applied. Append, never edit.
 * Times are Unix milliseconds, money is integer micro-dollars.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE token (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     hash TEXT NOT NULL UNIQUE,
     scopes TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER,
     revoked_at INTEGER
   ) STRICT;
   CREATE TABLE usage (
     request_id TEXT NOT NULL,
     attempt INTEGER NOT NULL,
     started_at INTEGER NOT NULL,
     key_id TEXT NOT NULL,
     model TEXT NOT NULL,
     upstream TEXT NOT NULL,
     target_model TEXT NOT NULL,
     status INTEGER NOT NULL,
     outcome TEXT NOT NULL,
     input_tokens INTEGER NOT NULL,
     output_tokens INTEGER NOT NULL,
     cached_tokens INTEGER NOT NULL,
     reasoning_tokens INTEGER NOT NULL,
     estimated INTEGER NOT NULL,
     cost_microdollars INTEGER NOT NULL,
     duration_ms INTEGER NOT NULL,
     ttft_ms INTEGER,
     PRIMARY KEY (request_id, attempt)
   ) STRICT, WITHOUT ROWID;`,
]

/** What this version of Gate reads; a later one is refused. */
export const SCHEMA_VERSION = MIGRATIONS.length

/** Columns that came later and have a default: the version before goes on writing without them, after a rollback. */
const LATER_COLUMNS = [
  { table: 'usage', name: 'cache_write_tokens', type: 'INTEGER NOT NULL DEFAULT 0' },
  { table: 'usage', name: 'unpriced', type: 'INTEGER NOT NULL DEFAULT 0' },
  { table: 'usage', name: 'end_user', type: "TEXT NOT NULL DEFAULT ''" },
  { table: 'usage', name: 'user_id', type: "TEXT NOT NULL DEFAULT ''" },
  { table: 'usage', name: 'team', type: "TEXT NOT NULL DEFAULT ''" },
  { table: 'usage', name: 'category', type: "TEXT NOT NULL DEFAULT ''" },
  { table: 'usage', name: 'provider', type: "TEXT NOT NULL DEFAULT ''" },
  { table: 'usage', name: 'teams', type: "TEXT NOT NULL DEFAULT ''" },
  { table: 'usage', name: 'rolled_up', type: 'INTEGER NOT NULL DEFAULT 0' },
  { table: 'token', name: 'limits', type: 'TEXT' },
] as const

/**
 * Tables that came later, made where they are not there. The version before does not know them and leaves them alone, so
 * that a rollback to it still opens the file.
 */
const LATER_TABLES: readonly string[] = [
  ...Object.values(ACCESS_TABLES),
  AUDIT_TABLE,
  ...ROLL_UP_TABLES,
  ...SPENT_TABLES,
  ...SIGN_IN_TABLES,
  REFILL_TABLE,
  ...BATCH_TABLES,
  PASSKEY_TABLE,
]

/**
 * Opens (and makes, mode 0600) the database and brings its schema up to date.
 *
 * WAL with synchronous=NORMAL: a committed row survives `kill -9`; a power cut may lose the last second.
 * A lock held by another process fails at once (the caller retries), so that no request waits on it.
 * @throws Error that names the file and says what to do, when it is damaged, empty or of a newer version
 */
export function openDatabase(file: string): Database {
  try {
    if (!existsSync(file)) makeDatabase(file)
    chmodSync(file, 0o600)
    return prepared(new Sqlite(file, { timeout: 5_000, fileMustExist: true }))
  } catch (error) {
    throw databaseError(file, error)
  }
}

function prepared(database: Database): Database {
  try {
    if (statSync(database.name).size === 0) throw new Error('it is empty, which a new database never is')
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    database.pragma('foreign_keys = ON')
    boundPageCache(database)
    migrate(database)
    database.pragma('busy_timeout = 0')
    return database
  } catch (error) {
    database.close() // on a full disk it is opened again and again
    throw error
  }
}

/** It gets its name when it is complete: an empty file of that name is one that lost its contents. */
function makeDatabase(file: string): void {
  const unfinished = `${file}-new`
  rmSync(unfinished, { force: true })
  closeSync(openSync(unfinished, 'ax', 0o600))
  const database = new Sqlite(unfinished)
  try {
    migrate(database)
  } finally {
    database.close()
  }
  renameSync(unfinished, file)
}

function migrate(database: Database): void {
  const version = Number(database.pragma('user_version', { simple: true }))
  if (version > MIGRATIONS.length) {
    const reason = `it was written by a newer version of Gate (schema ${version}, this one knows ${MIGRATIONS.length})`
    throw Object.assign(new Error(reason), { code: 'NEWER' })
  }
  database.transaction(() => {
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < version) continue
      database.exec(sql)
      database.pragma(`user_version = ${index + 1}`)
    }
    for (const sql of LATER_TABLES) database.exec(sql)
    for (const { table, name, type } of LATER_COLUMNS) {
      const known = database.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, name)
      if (known === undefined) database.exec(`ALTER TABLE ${table} ADD COLUMN ${name} ${type}`)
    }
    database.exec(USAGE_LOG_VIEW)
    // of a large table it takes seconds, and is then a part of the upkeep
    if (database.prepare('SELECT 1 FROM usage LIMIT 1').get() === undefined) prepareUsage(database, 0)
  })()
}
