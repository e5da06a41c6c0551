import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { hasRoom } from '../../system/disk-room.ts'
import { codeOf } from '../../system/error-code.ts'
import { type AccessRecords, openAccessStore, recordsIn } from './access-store.ts'
import { refuseDamaged } from './check.ts'
import { type Database, openDatabase } from './database.ts'
import { ACCESS_TABLES } from './tables/access.ts'

/** Failures that a full disk has: SQLite makes a file of 32 KiB before it reads anything. */
const MAY_BE_FULL = /^(?:SQLITE_(?:FULL|IOERR|CANTOPEN|READONLY)|ENOSPC|EDQUOT)/

export type Opened =
  /** `isWhole`: all of it was read and is sound. */
  | { readonly kind: 'open'; readonly database: Database; readonly isWhole: boolean }
  | { readonly kind: 'full'; readonly error: Error }

/**
 * Opens the database as `openDatabase` does, after a look at whether it is damaged, unless its disk is full.
 * @throws Error that names the file and says what to do, when anything else is wrong
 */
export function openWhenRoom(file: string): Opened {
  try {
    const isWhole = refuseDamaged(file)
    return { kind: 'open', database: openDatabase(file), isWhole }
  } catch (error) {
    const isFull = error instanceof Error && MAY_BE_FULL.test(codeOf(error.cause)) && !hasRoom(dirname(file))
    if (isFull) return { kind: 'full', error }
    throw error
  }
}

/**
 * Who may do what, from a database on a full disk, read without writing anything: whoever has the only connection needs
 * no file beside it. @throws Error when it cannot be read
 */
export function readAccess(file: string): AccessRecords {
  if (!existsSync(file)) return { tokens: [], previous: [], users: [], teams: [], sessions: [] }
  const database = new Sqlite(file, { fileMustExist: true, timeout: 5_000 })
  try {
    database.pragma('locking_mode = EXCLUSIVE')
    database.pragma('temp_store = MEMORY')
    const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
    for (const [table, sql] of Object.entries(ACCESS_TABLES)) {
      // an older Gate has made no such table: nothing is in it
      if (known.get(table) === undefined) database.exec(sql.replace(/^CREATE TABLE/, 'CREATE TEMP TABLE'))
    }
    return recordsIn(openAccessStore(database))
  } finally {
    database.close()
  }
}
