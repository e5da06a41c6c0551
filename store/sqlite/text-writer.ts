import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** A sealed text, as it is written. Times are Unix milliseconds. */
export type SealedText = {
  readonly keyId: string
  readonly id: string
  readonly at: number
  readonly sealed: Uint8Array
}

/** What the thread answers, of one text after the other: that it is written, or why it is not. */
export type Written = { readonly error: string | null }

export type TextWriter = {
  /** Hands a text over. @throws Error when too many wait, or the last one could not be written */
  readonly put: (text: SealedText) => void
  /** Whether one is not written yet. */
  readonly isWaiting: () => boolean
  /** One that is not written yet, as it is sealed; undefined: there is none. */
  readonly waiting: (keyId: string, id: string) => Uint8Array | undefined
  /** Writes what waits, for a few seconds at most. */
  readonly close: () => Promise<void>
}

/** Texts that wait: beyond that the disk is slower than clients are. */
const MOST_BYTES = 64 * 2 ** 20
const MOST_TEXTS = 1_000
const CLOSE_MS = 3_000
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 }

/**
 * Writes texts in a thread of its own: a row of megabytes takes as long as many requests. It begins with the first text.
 * @param file of an answers file, which exists @param written is told the size of each that is there
 */
export function createTextWriter(file: string, written: (bytes: number) => void): TextWriter {
  let worker: Worker | null = null
  let queue: SealedText[] = []
  let waitingBytes = 0
  let failure: string | null = null
  let onEmpty: (() => void) | null = null

  function settle(texts: readonly SealedText[], error: string | null): void {
    queue = queue.filter((text) => !texts.includes(text))
    failure = error
    for (const { sealed } of texts) {
      waitingBytes -= sealed.byteLength
      if (error === null) written(sealed.byteLength)
    }
    if (queue.length === 0) onEmpty?.()
  }

  function start(): Worker {
    const program = new URL(`./text-writer-program${extname(import.meta.url)}`, import.meta.url)
    const started = new Worker(program, { workerData: { file }, execArgv: [], resourceLimits: HEAP })
    started.on('message', ({ error }: Written) => settle(queue.slice(0, 1), error))
    const end = (error: unknown) => {
      if (worker !== started) return
      worker = null // the next text begins another one
      settle(queue, `the thread that writes texts has ended (${String(error)})`)
    }
    started.on('error', end)
    started.on('exit', end)
    started.unref()
    return started
  }

  return {
    put(text) {
      const { sealed } = text
      const last = failure
      failure = null // it is tried again with this one
      if (waitingBytes + sealed.byteLength > MOST_BYTES || queue.length >= MOST_TEXTS)
        throw new Error('too many texts wait to be written')
      waitingBytes += sealed.byteLength
      worker ??= start()
      queue.push(text)
      worker.postMessage(text)
      if (last !== null) throw new Error(last)
    },
    isWaiting: () => queue.length > 0,
    waiting: (keyId, id) => queue.find((text) => text.keyId === keyId && text.id === id)?.sealed,
    async close() {
      const ending = worker
      if (ending === null) return
      if (queue.length > 0) {
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
