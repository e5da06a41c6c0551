import { Worker } from 'node:worker_threads'

/** Of its heap: one that needs more is ended, and the daemon goes on. */
const LIMITS = { maxOldGenerationSizeMb: 512 }

/** What a program says first that tells when it has begun to read: it sees nothing that is written after that. */
export const HAS_BEGUN = 'has begun'

/**
 * What a program answers that runs once, as a thread, so that no request waits for it.
 * @param signal ends it @param cutOff what is said then @throws Error of the program, or that it was ended
 */
export async function answerOfThread<T>(
  program: URL,
  workerData: unknown,
  signal: AbortSignal,
  cutOff: string,
  begun: () => void = () => {},
): Promise<T> {
  const worker = new Worker(program, { workerData, execArgv: [], resourceLimits: LIMITS })
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const end = () => void worker.terminate()
  worker.on('message', (message: T | typeof HAS_BEGUN) => (message === HAS_BEGUN ? begun() : resolve(message)))
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error(cutOff)))
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', end)
  }
}
