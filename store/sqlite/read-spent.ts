import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { SpentRow } from '../../daemon/admit/spending.ts'
import type { Window } from '../../daemon/admit/window.ts'

/**
 * Reads what was spent in each window, in a thread, so that no request waits for it.
 * @throws Error why the database cannot be read, or that it was ended
 */
export async function readSpent(
  file: string,
  windows: readonly Window[],
  signal: AbortSignal,
): Promise<readonly (readonly SpentRow[])[]> {
  const program = new URL(`./spent-program${extname(import.meta.url)}`, import.meta.url)
  const worker = new Worker(program, { workerData: { file, windows }, execArgv: [] })
  const { promise, resolve, reject } = Promise.withResolvers<readonly (readonly SpentRow[])[]>()
  const end = () => void worker.terminate()
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('reading what was spent was cut off')))
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', end)
  }
}
