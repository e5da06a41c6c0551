import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

/**
 * Holds a state directory for this process, however it ends: the kernel drops the lock of a process that is killed.
 * Node offers no flock(2), so it is SQLite's lock on an empty file, `gate.lock`.
 * @returns a function that lets go
 * @throws Error when another process holds it, or the lock cannot be written
 */
export function lockState(directory: string): () => void {
  const file = join(directory, 'gate.lock')
  closeSync(openSync(file, 'a', 0o600))
  const lock = new Sqlite(file, { timeout: 0 })
  try {
    lock.pragma('journal_mode = MEMORY') // a journal of its own would need room, which a full disk has not
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    const isHeld = error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')
    if (!isHeld)
      throw new Error(`${directory}: the state directory cannot be locked (is its disk full?)`, { cause: error })
    const remedy = 'stop the gate-daemon or gate-relay that runs on it, or give this one another STATE_DIRECTORY'
    throw new Error(`${directory}: the state directory is in use; ${remedy}`, { cause: error })
  }
  return () => lock.close()
}
