import { accessSync, constants, existsSync, lstatSync, readlinkSync, statSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { codeOf } from '../../system/error-code.ts'
import { databaseError } from './remedy.ts'

/** How much is read before the daemon serves: 16 MiB take about a tenth of a second. */
const CHECKED_AT_START_BYTES = 16 * 2 ** 20
/** How much is reported about a damaged database. */
const FAULTS_MAX = 5
/** SQLite takes less than its smallest page for a new database. */
const DATABASE_BYTES_MIN = 512

/**
 * Looks at a database before anything is written to it. Of one larger than 16 MiB everything but its usage rows is
 * read: `faultsOf` reads those later, in a thread of its own.
 * @returns whether all of it was read
 * @throws Error that names the file and says what to do, when it is damaged, empty, or gone while its journal is there
 */
export function refuseDamaged(file: string): boolean {
  try {
    const bytes = sizeOf(file)
    if (bytes === undefined) return true
    const isWhole = bytes <= CHECKED_AT_START_BYTES
    const [first] = quickCheck(file, isWhole)
    if (first !== undefined) throw new Error(`it is damaged: ${first}`)
    return isWhole
  } catch (error) {
    throw databaseError(file, error)
  }
}

/**
 * Reads a whole database, which takes seconds for hundreds of megabytes.
 * @returns what is wrong with it, ready to be shown
 */
export function faultsOf(file: string): readonly string[] {
  try {
    return sizeOf(file) === undefined ? [] : quickCheck(file, true).map((fault) => `it is damaged: ${fault}`)
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

/** Of a file that is a database as far as its kind and size go; undefined before the first start. */
function sizeOf(file: string): number | undefined {
  if (!existsSync(file)) {
    if (lstatSync(file, { throwIfNoEntry: false }) !== undefined)
      throw new Error(`it is a link to ${readlinkSync(file)}, where nothing is`)
    const journal = `${file}-wal`
    if (existsSync(journal) && statSync(journal).size > 0)
      throw new Error(`it is missing, but its journal ${journal} exists`)
    return undefined
  }
  const status = statSync(file)
  if (!status.isFile()) throw new Error(status.isDirectory() ? 'it is a directory' : 'it is not a regular file')
  accessSync(file, constants.R_OK)
  if (status.size === 0) throw new Error('it is empty, which a new database never is')
  if (status.size < DATABASE_BYTES_MIN) throw new Error(`it is not a database: it has ${status.size} bytes`)
  return status.size
}

function quickCheck(file: string, isWhole: boolean): readonly string[] {
  const database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
  try {
    const tables = isWhole ? [undefined] : ['sqlite_schema', ...otherTables(database)]
    return tables.flatMap((table) => {
      const argument = table === undefined ? FAULTS_MAX : `"${table.replaceAll('"', '""')}"`
      const rows = database.pragma(`quick_check(${argument})`) as readonly { readonly quick_check: string }[]
      return rows.map((row) => row.quick_check.trim().split('\n').at(-1) ?? '').filter((fault) => fault !== 'ok')
    })
  } catch (error) {
    if (codeOf(error).startsWith('SQLITE_CORRUPT')) return [error instanceof Error ? error.message : '']
    throw error
  } finally {
    database.close()
  }
}

function otherTables(database: Sqlite.Database): readonly string[] {
  const tables = database.prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'usage'`)
  return tables.pluck().all()
}
