import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

/**
 * Path of the program that reads a whole database: `check-program FILE` prints a JSON list of what is wrong with it.
 */
export const checkProgram = (): string => fileURLToPath(programUrl())

/** Reads a whole database in a thread, beside everything else. It keeps no process from ending. */
export function checkLater(file: string, found: (faults: readonly string[]) => void): { stop(): Promise<void> } {
  const worker = new Worker(programUrl(), { workerData: file, execArgv: [] })
  worker.unref()
  worker.once('message', found)
  worker.once('error', (error) => found([`it could not be checked: ${error.message}`]))
  return {
    async stop() {
      await worker.terminate()
    },
  }
}

const programUrl = () => new URL(`./check-program${extname(import.meta.url)}`, import.meta.url)
