import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import { usageReport, type Wanted } from './usage-report.ts'

// Reads one report, as a thread of the daemon.
const { file, wanted } = workerData as { readonly file: string; readonly wanted: Wanted }
const database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
parentPort?.postMessage(usageReport(database, wanted))
database.close()
