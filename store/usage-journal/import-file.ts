import { appendFileSync, closeSync, openSync, readSync, unlinkSync } from 'node:fs'
import type { UsageRow } from '../../daemon/meter/usage.ts'
import { codeOf } from '../../system/error-code.ts'
import type { Database } from '../sqlite/database.ts'
import { openUsageStore } from '../sqlite/usage-store.ts'
import { rowOfLine } from './line.ts'

/** About two thousand rows: each transaction costs a few pages of its own, and what lives through it is copied by the garbage collector. */
const CHUNK_BYTES = 2 ** 18
const NEWLINE = 0x0a

/**
 * Imports a journal file and deletes it; a file that is gone was imported. Rows that the table has are kept as they
 * are, so a file that is imported twice (the daemon was killed in between) counts once. Damaged lines go to
 * `DATABASE-usage-damaged`. A last line without its newline was torn by a kill: no answer ended on it.
 * @returns the number of damaged lines, and of rows that are new
 * @throws SqliteError, Error of the file system; the file then stays
 */
export function importFile(
  database: Database,
  file: string,
): { readonly damagedLines: number; readonly newRows: number } {
  const store = openUsageStore(database)
  let damagedLines = 0
  let newRows = 0
  for (const lines of chunksOf(file)) {
    const rows = new Map<UsageRow, string>()
    const damaged: string[] = []
    for (const line of lines) {
      const row = rowOfLine(line)
      if (row !== null) rows.set(row, line)
      else if (line !== '') damaged.push(line)
    }
    try {
      newRows += store.append([...rows.keys()])
    } catch (error) {
      if (!isRefusal(error)) throw error
      for (const [row, line] of rows) if (!isTaken(store, row)) damaged.push(line)
    }
    if (damaged.length === 0) continue
    appendFileSync(`${database.name}-usage-damaged`, `${damaged.join('\n')}\n`, { mode: 0o600 })
    damagedLines += damaged.length
  }
  try {
    unlinkSync(file)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  return { damagedLines, newRows }
}

/** Whole lines of a file, some hundred at a time. */
function* chunksOf(file: string): Generator<readonly string[]> {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES)
    let rest: Buffer = Buffer.alloc(0)
    for (;;) {
      const length = readSync(fd, buffer)
      if (length === 0) return
      const bytes = Buffer.concat([rest, buffer.subarray(0, length)])
      const end = bytes.lastIndexOf(NEWLINE) + 1
      rest = bytes.subarray(end)
      if (end > 0) yield bytes.toString('utf8', 0, end - 1).split('\n')
    }
  } finally {
    closeSync(fd)
  }
}

function isTaken(store: ReturnType<typeof openUsageStore>, row: UsageRow): boolean {
  try {
    store.append([row])
    return true
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}

/** The table refuses a value (a fraction where a whole number belongs); trying again would change nothing. */
function isRefusal(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_CONSTRAINT') || codeOf(error) === 'SQLITE_MISMATCH'
}
