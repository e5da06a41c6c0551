import { closeSync, ftruncateSync, openSync, readdirSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { UsageRow } from '../../daemon/meter/usage.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Retention } from '../sqlite/usage-upkeep.ts'
import { createImporter, ImportError, type Importer } from './importer.ts'
import { usageLine } from './line.ts'

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
  /** Why the last import failed; null when it did not. */
  lastError(): string | null
  /** Whether it failed because the database is damaged. The rows wait in the journal, for a database that is whole. */
  isDamaged(): boolean
  /** Imports what is left, for 3 s at most, and ends the worker. Nothing may be appended afterwards. */
  close(): Promise<void>
}

/** Append and truncate, as an open file offers them; a test may hand over a full disk. */
export type JournalFile = { readonly write: typeof writeSync; readonly truncate: typeof ftruncateSync }

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
  const opened = `${databaseFile}-usage-${Date.now()}`
  let number = 0
  let current: { readonly fd: number; readonly path: string; bytes: number; isTorn: boolean } | null = null
  /** Files that are complete and not imported yet, oldest first. */
  let complete = leftOver(databaseFile)
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> = Promise.resolve()
  let lastError: string | null = null
  let isDamaged = false
  const openFile = `${databaseFile}-usage-open-${Date.now()}`
  const unfinished = `${databaseFile}-usage-open-new`
  let hasOpen = false
  rmSync(unfinished, { force: true })

  function noteOpen(rows: readonly UsageRow[]): void {
    if (rows.length === 0 && !hasOpen) return
    try {
      if (rows.length === 0) rmSync(openFile, { force: true })
      else {
        writeFileSync(unfinished, rows.map(usageLine).join(''), { mode: 0o600 })
        renameSync(unfinished, openFile) // a kill leaves one or the other, whole
      }
      hasOpen = rows.length > 0
    } catch {
      discard(unfinished) // the disk is full, or can only be read, which the next append says
    }
  }

  function append(rows: readonly UsageRow[]): void {
    let text = ''
    for (const row of rows) text += usageLine(row)
    current ??= create()
    const bytes = Buffer.from(current.isTorn ? `\n${text}` : text)
    try {
      for (let at = 0; at < bytes.length; ) at += file.write(current.fd, bytes, at)
    } catch (error) {
      cutBack(current)
      throw error
    }
    current.bytes += bytes.length
    current.isTorn = false
    schedule()
  }

  function create() {
    number += 1
    const path = `${opened}-${number}`
    return { fd: openSync(path, 'ax', 0o600), path, bytes: 0, isTorn: false }
  }

  /** Takes back what a failed write has left of a line; where even that fails, the next line starts on a new one. */
  function cutBack(failed: NonNullable<typeof current>): void {
    try {
      file.truncate(failed.fd, failed.bytes)
    } catch {
      failed.isTorn = true
    }
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = null
      importNow().catch(() => schedule())
    }, IMPORT_EVERY_MS).unref()
  }

  function importNow(): Promise<void> {
    running = running.then(
      () => importAll(),
      () => importAll(),
    )
    return running
  }

  function keepUp(retention: Retention): Promise<boolean> {
    const kept = running.then(
      () => importer.keepUp(retention),
      () => importer.keepUp(retention),
    )
    running = kept.then(
      () => {},
      () => {},
    )
    return kept
  }

  async function afterImport<T>(cut: () => void, work: () => Promise<T>): Promise<T> {
    const done = running
      .then(
        () => importAll(cut),
        () => importAll(cut),
      )
      .then(work)
    running = done.then(
      () => {},
      () => {},
    )
    return done
  }

  async function importAll(cut: () => void = () => {}): Promise<void> {
    try {
      await importComplete() // first, so that a database that fails for hours makes two files and not thousands
      cut()
      rotate()
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

  function rotate(): void {
    if (current === null) return
    closeSync(current.fd)
    complete.push(current.path)
    current = null
  }

  if (complete.length > 0) importNow().catch(() => schedule())

  return {
    append,
    noteOpen,
    importNow,
    keepUp,
    afterImport,
    lastError: () => lastError,
    isDamaged: () => isDamaged,
    async close() {
      if (timer !== null) clearTimeout(timer)
      const deadline = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref())
      await Promise.race([importNow().catch(() => {}), deadline])
      rotate()
      noteOpen([])
      await importer.close()
    },
  }
}

/** Removes a file, where that can be done. */
function discard(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // the next start removes it
  }
}

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
