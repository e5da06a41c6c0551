import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import { usageReport } from './usage-report.ts'

// Reads one report, as a thread of the daemon.
const { file, since } = workerData as { readonly file: string; readonly since: number }
const database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
parentPort?.postMessage(usageReport(database, since))
database.close()
