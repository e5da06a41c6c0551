import { ftruncateSync, readdirSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { UsageRow } from '../../daemon/meter/usage.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Retention } from '../sqlite/usage-upkeep.ts'
import { createImporter, ImportError, type Importer } from './importer.ts'
import { type JournalFile, journalFiles } from './journal-files.ts'
import { openRowsFile } from './open-rows-file.ts'

const IMPORT_EVERY_MS = 1_000
/** How long `close` waits for the last import; what is left then is imported at the next start. */
const CLOSE_MS = 3_000

export type UsageJournal = {
  /**
   * Appends all rows with one write(2), so that they outlive the process. The same row twice counts once.
   * @throws Error of the file system (ENOSPC, …); the caller keeps the rows and tries again
   */
  append(rows: readonly UsageRow[]): void
  /**
   * Notes the rows of what is going on, in place of those noted before: a start that finds them, because this process was
   * killed, imports those that were not appended by then. Nothing happens where they cannot be written.
   */
  noteOpen(rows: readonly UsageRow[]): void
  /**
   * After it, the table `usage` has every row appended so far: call it before reading the table.
   * @throws Error why the database cannot be written; the rows stay in the journal
   */
  importNow(): Promise<void>
  /**
   * Counts what is not counted yet, and removes what is older than it is kept, for a fraction of a second, between two
   * imports. @returns whether there is more to do  @throws Error why the database cannot be written
   */
  keepUp(retention: Retention): Promise<boolean>
  /**
   * Imports every row appended so far and does `work` before any other is imported.
   * @param cut is called when the last of those rows was appended
   * @throws Error why the database cannot be written, and what `work` throws
   */
  afterImport<T>(cut: () => void, work: () => Promise<T>): Promise<T>
  /** Whether upkeep goes on, after which the next import comes: of a large table its first round takes seconds. */
  isKeepingUp(): boolean
  /** Why the last import failed; null when it did not. */
  lastError(): string | null
  /** Whether it failed because the database is damaged. The rows wait in the journal, for a database that is whole. */
  isDamaged(): boolean
  /** Imports what is left, for 3 s at most, and ends the worker. Nothing may be appended afterwards. */
  close(): Promise<void>
}

/**
 * The usage journal: files `gate.db-usage-TIME-NUMBER` (mode 0600) beside the database, a line per row, and
 * `gate.db-usage-open-TIME` with those of what is going on, which is rewritten as a whole. A worker
 * imports them each second and deletes them, so that no request waits for SQLite. Files of a daemon that was killed
 * are imported at once. Only one daemon may use a state directory.
 * @param databaseFile path of gate.db, which exists
 */
export function openUsageJournal(
  databaseFile: string,
  log: Log,
  {
    importer = createImporter(databaseFile, log),
    file = { write: writeSync, truncate: ftruncateSync },
  }: { readonly importer?: Importer; readonly file?: JournalFile } = {},
): UsageJournal {
  const files = journalFiles(databaseFile, file)
  const open = openRowsFile(databaseFile)
  /** Files that are complete and not imported yet, oldest first. */
  let complete = leftOver(databaseFile)
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> = Promise.resolve()
  let keepsUp = false
  let lastError: string | null = null
  let isDamaged = false

  function append(rows: readonly UsageRow[]): void {
    files.append(rows)
    schedule()
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = null
      importNow().catch(() => schedule())
    }, IMPORT_EVERY_MS).unref()
  }

  /** Does something when what came before it has ended, well or not; what comes later waits for it. */
  function next<T>(work: () => Promise<T>): Promise<T> {
    const done = running.then(work)
    running = done.then(NOTHING, NOTHING)
    return done
  }

  const importNow = () => next(() => importAll())

  function keepUp(retention: Retention): Promise<boolean> {
    return next(async () => {
      keepsUp = true
      try {
        return await importer.keepUp(retention)
      } finally {
        keepsUp = false
      }
    })
  }

  function afterImport<T>(cut: () => void, work: () => Promise<T>): Promise<T> {
    return next(async () => {
      await importAll(cut)
      return await work()
    })
  }

  async function importAll(cut: () => void = () => {}): Promise<void> {
    try {
      await importComplete() // first, so that a database that fails for hours makes two files and not thousands
      cut()
      complete.push(...files.rotate())
      await importComplete()
      if (lastError !== null) log('info', 'usage rows reach the database again')
      lastError = null
      isDamaged = false
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (lastError === null) log('error', 'cannot import usage rows; they wait in the journal', { error: reason })
      lastError = reason
      isDamaged = error instanceof ImportError && error.isDamaged
      throw error
    }
  }

  async function importComplete(): Promise<void> {
    if (complete.length === 0) return
    await importer.run(complete)
    complete = []
  }

  if (complete.length > 0) importNow().catch(() => schedule())

  return {
    append,
    noteOpen: open.note,
    importNow,
    keepUp,
    afterImport,
    isKeepingUp: () => keepsUp,
    lastError: () => lastError,
    isDamaged: () => isDamaged,
    async close() {
      if (timer !== null) clearTimeout(timer)
      const deadline = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref())
      await Promise.race([importNow().catch(() => {}), deadline])
      files.rotate()
      open.note([])
      await importer.close()
    },
  }
}

const NOTHING = () => {}

function leftOver(databaseFile: string): string[] {
  const directory = dirname(databaseFile)
  const start = `${basename(databaseFile)}-usage-`
  const isJournal = (name: string) => name.startsWith(start) && /^(?:\d+-|open-)\d+$/.test(name.slice(start.length))
  // what was open comes last: of what has ended since, the row that was appended counts
  return readdirSync(directory)
    .filter(isJournal)
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    .map((name) => join(directory, name))
}
