import { GateError } from '../../schemas/words/errors.ts'
import { codeOf } from '../../system/error-code.ts'
import type { Database } from './database.ts'
import { remedyFor } from './remedy.ts'

/**
 * Writes what a person has asked for, which is rare: it waits for a lock, unlike usage rows; 1 s at most, for everything
 * else waits meanwhile. @throws GateError STORE_UNAVAILABLE
 */
export function patiently<T>(database: Database, write: () => T): T {
  database.pragma('busy_timeout = 1000')
  try {
    return write()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const remedy = remedyFor(database.name, codeOf(error))
    throw new GateError('STORE_UNAVAILABLE', `${database.name} cannot be written: ${reason}; ${remedy}`, {
      cause: error,
    })
  } finally {
    database.pragma('busy_timeout = 0')
  }
}
