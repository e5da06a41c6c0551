import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Report, Wanted } from './usage-report.ts'

/**
 * Reads what was used, in a thread, so that no request waits for it.
 * @param signal ends it
 * @throws Error why the database cannot be read, or that it was ended
 */
export async function readUsage(file: string, wanted: Wanted, signal: AbortSignal): Promise<Report> {
  const program = new URL(`./usage-report-program${extname(import.meta.url)}`, import.meta.url)
  const worker = new Worker(program, { workerData: { file, wanted }, execArgv: [] })
  const { promise, resolve, reject } = Promise.withResolvers<Report>()
  const end = () => void worker.terminate()
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('reading the usage was cut off')))
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', end)
  }
}
