import { statSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { codeOf } from '../../system/error-code.ts'
import { type Database, openDatabase } from '../sqlite/database.ts'
import { isDamage, remedyFor } from '../sqlite/remedy.ts'
import { importFile } from './import-file.ts'
import type { ImportAnswer } from './importer.ts'

// The program of the worker thread: takes lists of journal files, one after the other.
const { databaseFile } = workerData as { readonly databaseFile: string }
let open: { readonly database: Database; readonly inode: number } | null = null

/** @throws Error with the code GONE when the file is another one than at first: SQLite would write where nobody looks */
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

parentPort?.on('message', (files: readonly string[]) => {
  let damagedLines = 0
  let interrupted = 0
  let error: string | null = null
  let code = ''
  try {
    const database = databaseInPlace()
    for (const file of files) {
      const imported = importFile(database, file)
      damagedLines += imported.damagedLines
      if (file.startsWith(`${databaseFile}-usage-open-`)) interrupted += imported.newRows
    }
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure)
    code = codeOf(failure) || codeOf(failure instanceof Error ? failure.cause : undefined)
    error = codeOf(failure) === '' ? reason : `${reason}; ${remedyFor(databaseFile, code)}` // else it names one itself
  }
  parentPort?.postMessage({ error, isDamaged: isDamage(code), damagedLines, interrupted } satisfies ImportAnswer)
})
