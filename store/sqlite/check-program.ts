import { parentPort, workerData } from 'node:worker_threads'
import { faultsOf } from './check.ts'

// Reads a whole database, as a thread of the daemon or as a process of gatectl doctor: `check-program FILE`.
const faults = faultsOf(parentPort === null ? (process.argv[2] ?? '') : String(workerData))
if (parentPort === null) process.stdout.write(`${JSON.stringify(faults)}\n`)
else parentPort.postMessage(faults)
