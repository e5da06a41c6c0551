import { parentPort, workerData } from 'node:worker_threads'
import { codeOf } from '../../system/error-code.ts'
import { openDatabase } from '../sqlite/database.ts'
import { remedyFor } from '../sqlite/remedy.ts'
import { importFile } from './import-file.ts'
import type { ImportAnswer } from './importer.ts'

// The program of the worker thread: takes lists of journal files, one after the other.
const { databaseFile } = workerData as { readonly databaseFile: string }
const database = openDatabase(databaseFile)
database.pragma('busy_timeout = 1000')
database.pragma('synchronous = FULL') // a journal is deleted only when its rows would outlive a power cut

parentPort?.on('message', (files: readonly string[]) => {
  let damagedLines = 0
  let error: string | null = null
  try {
    for (const file of files) damagedLines += importFile(database, file)
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure)
    error = `${reason}; ${remedyFor(databaseFile, codeOf(failure))}`
  }
  parentPort?.postMessage({ error, damagedLines } satisfies ImportAnswer)
})
