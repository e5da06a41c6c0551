import Sqlite from 'better-sqlite3'
import { databaseError } from './remedy.ts'

/**
 * Copies a database as it is at one moment, while others write to it. The online backup API begins anew whenever another
 * process has written, which a gateway does each second; this reads in one transaction.
 * @param to must not be there @throws Error that names the file
 */
export function snapshotDatabase(file: string, to: string): void {
  let database: Sqlite.Database | null = null
  try {
    database = new Sqlite(file, { timeout: 5_000, fileMustExist: true })
    database.prepare('VACUUM INTO ?').run(to)
  } catch (error) {
    throw databaseError(file, error)
  } finally {
    database?.close()
  }
}

/** What a database that is to be put back says of itself. @returns its schema, and what is wrong with it */
export function inspectDatabase(file: string): { readonly schema: number; readonly faults: readonly string[] } {
  const database = new Sqlite(file, { fileMustExist: true })
  try {
    const schema = Number(database.pragma('user_version', { simple: true }))
    const found = database.pragma('integrity_check(3)') as readonly { readonly integrity_check: string }[]
    const faults = found.map((row) => row.integrity_check).filter((line) => line !== 'ok')
    return { schema, faults }
  } catch (error) {
    return { schema: 0, faults: [error instanceof Error ? error.message : String(error)] }
  } finally {
    database.close()
  }
}
