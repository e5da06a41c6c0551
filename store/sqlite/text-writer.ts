import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** A sealed text, as it is written. Times are Unix milliseconds. */
export type SealedText = {
  readonly keyId: string
  readonly id: string
  readonly at: number
  readonly sealed: Uint8Array
}

/** What the thread answers: that one is written, or why it is not. */
export type Written = { readonly bytes: number; readonly error: string | null }

export type TextWriter = {
  /** Hands a text over. @throws Error when too many wait, or the last one could not be written */
  readonly put: (text: SealedText) => void
  /** Whether one is not written yet. */
  readonly isWaiting: () => boolean
  /** Writes what waits, for a few seconds at most. */
  readonly close: () => Promise<void>
}

/** Texts that wait: beyond that the disk is slower than clients are. */
const MOST_BYTES = 64 * 2 ** 20
const CLOSE_MS = 3_000
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 }

/**
 * Writes texts in a thread of its own: a row of megabytes takes as long as many requests. It begins with the first text.
 * @param file of an answers file, which exists @param written is told the size of each that is there
 */
export function createTextWriter(file: string, written: (bytes: number) => void): TextWriter {
  let worker: Worker | null = null
  let waitingBytes = 0
  let failure: string | null = null
  let onEmpty: (() => void) | null = null

  function settle(bytes: number, error: string | null): void {
    waitingBytes -= bytes
    failure = error
    if (error === null) written(bytes)
    if (waitingBytes === 0) onEmpty?.()
  }

  function start(): Worker {
    const program = new URL(`./text-writer-program${extname(import.meta.url)}`, import.meta.url)
    const started = new Worker(program, { workerData: { file }, execArgv: [], resourceLimits: HEAP })
    started.on('message', ({ bytes, error }: Written) => settle(bytes, error))
    const end = (error: unknown) => {
      if (worker !== started) return
      worker = null // the next text begins another one
      settle(waitingBytes, `the thread that writes texts has ended (${String(error)})`)
    }
    started.on('error', end)
    started.on('exit', end)
    started.unref()
    return started
  }

  return {
    put({ keyId, id, at, sealed }) {
      const last = failure
      failure = null // it is tried again with this one
      if (waitingBytes + sealed.byteLength > MOST_BYTES) throw new Error('too many texts wait to be written')
      waitingBytes += sealed.byteLength
      worker ??= start()
      worker.postMessage({ keyId, id, at, sealed } satisfies SealedText)
      if (last !== null) throw new Error(last)
    },
    isWaiting: () => waitingBytes > 0,
    async close() {
      const ending = worker
      if (ending === null) return
      if (waitingBytes > 0) {
        const late = setTimeout(() => onEmpty?.(), CLOSE_MS)
        await new Promise<void>((resolve) => {
          onEmpty = resolve
        })
        clearTimeout(late)
      }
      worker = null
      await ending.terminate()
    },
  }
}
