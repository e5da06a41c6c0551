import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import type { Window } from '../../daemon/admit/window.ts'
import { spentIn } from './spent.ts'

// Reads what was spent in each of some windows, as a thread of the daemon.
const { file, windows } = workerData as { readonly file: string; readonly windows: readonly Window[] }
const database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
parentPort?.postMessage(windows.map((window) => spentIn(database, window)))
database.close()
