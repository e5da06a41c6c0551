import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import type { Window } from '../../daemon/admit/window.ts'
import { spentIn } from './spent.ts'
import { HAS_BEGUN } from './thread.ts'

// Reads what was spent in each of some windows, as a thread of the daemon: all of it as it was at one moment.
const { file, windows } = workerData as { readonly file: string; readonly windows: readonly Window[] }
const database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
const read = database.transaction(() => {
  database.prepare('SELECT 1 FROM usage LIMIT 1').get()
  parentPort?.postMessage(HAS_BEGUN)
  return windows.map((window) => spentIn(database, window))
})
parentPort?.postMessage(read())
database.close()
