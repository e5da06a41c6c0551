import { statSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { codeOf } from '../../system/error-code.ts'
import { type Database, openDatabase } from '../sqlite/database.ts'
import { isDamage, remedyFor } from '../sqlite/remedy.ts'
import { openUsageUpkeep, type Retention } from '../sqlite/usage-upkeep.ts'
import { importFile } from './import-file.ts'
import type { ImportAnswer, ImportRequest } from './importer.ts'

// The program of the worker thread: takes lists of journal files, and rounds of upkeep, one after the other.
const { databaseFile } = workerData as { readonly databaseFile: string }
let open: { readonly database: Database; readonly inode: number } | null = null

/** @throws Error with the code GONE when the file is another one than at first: SQLite would write to a file that is gone */
function databaseInPlace(): Database {
  const inode = statSync(databaseFile, { throwIfNoEntry: false })?.ino
  if (inode === undefined || (open !== null && open.inode !== inode)) {
    throw Object.assign(new Error('it was moved or deleted while it was in use'), { code: 'GONE' })
  }
  if (open !== null) return open.database
  const database = openDatabase(databaseFile)
  database.pragma('busy_timeout = 1000')
  database.pragma('synchronous = FULL') // a journal is deleted only when its rows would outlive a power cut
  open = { database, inode }
  return database
}

/** How long steps of upkeep may take before the next import gets its turn. */
const UPKEEP_MS = 200
let upkeep: { readonly of: Database; readonly step: ReturnType<typeof openUsageUpkeep>['step'] } | null = null

function keepUp(retention: Retention): boolean {
  const database = databaseInPlace()
  if (upkeep?.of !== database) upkeep = { of: database, step: openUsageUpkeep(database, Date.now()).step }
  const startMs = performance.now()
  while (upkeep.step(retention)) if (performance.now() - startMs > UPKEEP_MS) return true
  return false
}

parentPort?.on('message', ({ files, retention }: ImportRequest) => {
  let damagedLines = 0
  let interrupted = 0
  let hasMore = false
  let error: string | null = null
  let code = ''
  try {
    const database = databaseInPlace()
    for (const file of files) {
      const imported = importFile(database, file)
      damagedLines += imported.damagedLines
      if (file.startsWith(`${databaseFile}-usage-open-`)) interrupted += imported.newRows
    }
    if (retention !== null) hasMore = keepUp(retention)
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure)
    code = codeOf(failure) || codeOf(failure instanceof Error ? failure.cause : undefined)
    error = codeOf(failure) === '' ? reason : `${reason}; ${remedyFor(databaseFile, code)}` // else it names one itself
  }
  parentPort?.postMessage({
    error,
    isDamaged: isDamage(code),
    damagedLines,
    interrupted,
    hasMore,
  } satisfies ImportAnswer)
})
