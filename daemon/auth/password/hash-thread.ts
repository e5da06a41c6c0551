import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Argon2Cost } from '../../../syntax/phc/phc.ts'

/** What a thread is asked. */
export type HashJob = {
  readonly password: Uint8Array
  readonly salt: Uint8Array
  readonly cost: Argon2Cost
  /** Of the tag. */
  readonly bytes: number
}

export type HashThread = ReturnType<typeof createHashThread>

/** Megabytes of a thread's own objects; what a hash needs is not among them. */
const HEAP_MB = 16

type Asked = { readonly resolve: (tag: Buffer) => void; readonly reject: (error: Error) => void }

/**
 * A thread of low priority that computes one hash at a time: in those that Node reads files in, a flood of sign-ins would
 * take the processor from every request. It begins with the first hash, and again after it has failed.
 */
export function createHashThread() {
  let worker: Worker | null = null
  let asked: Asked | null = null

  function start(): Worker {
    const program = new URL(`./program${extname(import.meta.url)}`, import.meta.url)
    const started = new Worker(program, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } })
    started.unref()
    const lose = (error: Error) => {
      if (worker !== started) return
      worker = null
      asked?.reject(error)
      asked = null
    }
    started.on('message', (tag: Uint8Array) => {
      const answered = asked
      asked = null
      started.unref()
      answered?.resolve(Buffer.from(tag))
    })
    started.on('error', lose)
    started.on('exit', () => lose(new Error('the thread that computes hashes has ended')))
    return started
  }

  return {
    isBusy: () => asked !== null,
    /** Call when it is not busy. @throws Error when the thread fails */
    tagOf: (job: HashJob): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        worker ??= start()
        asked = { resolve, reject }
        worker.ref() // until it has answered
        worker.postMessage(job)
      }),
  }
}
