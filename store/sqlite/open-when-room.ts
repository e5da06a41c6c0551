import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { TokenRecord } from '../../daemon/auth/tokens.ts'
import { hasRoom } from '../../system/disk-room.ts'
import { codeOf } from '../../system/error-code.ts'
import { refuseDamaged } from './check.ts'
import { type Database, openDatabase } from './database.ts'
import { openTokenStore } from './token-store.ts'

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
 * The keys in a database on a full disk, read without writing anything: whoever has the only connection needs no file
 * beside it. @throws Error when it cannot be read
 */
export function readTokens(file: string): readonly TokenRecord[] {
  if (!existsSync(file)) return []
  const database = new Sqlite(file, { fileMustExist: true, timeout: 5_000 })
  try {
    database.pragma('locking_mode = EXCLUSIVE')
    return openTokenStore(database).all()
  } finally {
    database.close()
  }
}
