import { extname } from 'node:path'
import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { Log } from '../../schemas/words/log.ts'
import type { Retention } from '../sqlite/usage-upkeep.ts'

export type Importer = {
  /**
   * Imports journal files and deletes them. One run at a time.
   * @throws ImportError, Error why not all could be imported
   */
  run(files: readonly string[]): Promise<void>
  /**
   * Does some of the upkeep of the usage log, for a fraction of a second. Not while `run` does.
   * @returns whether there is more to do  @throws ImportError, Error
   */
  keepUp(retention: Retention): Promise<boolean>
  close(): Promise<void>
}

/** What the worker is asked for. `retention`: upkeep, too; null: none. */
export type ImportRequest = { readonly files: readonly string[]; readonly retention: Retention | null }

/** What the worker answers. `error` is null when all files are imported and deleted. */
export type ImportAnswer = {
  readonly error: string | null
  /** The database itself is damaged. */
  readonly isDamaged: boolean
  readonly damagedLines: number
  /** Requests that were going on when a daemon was killed. */
  readonly interrupted: number
  /** There is more upkeep to do. */
  readonly hasMore: boolean
}

/** Why rows could not be imported. */
export class ImportError extends Error {
  readonly isDamaged: boolean
  constructor(message: string, isDamaged: boolean) {
    super(message)
    this.name = 'ImportError'
    this.isDamaged = isDamaged
  }
}

/**
 * The heap of the worker, which holds the rows of about a megabyte of journal at a time. Without a bound V8 lets it grow
 * to some 100 MiB before it collects anything; with less for what is young it collects all the time.
 */
const HEAP: ResourceLimits = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 64 }

/** Runs imports in a worker thread; one that died is replaced by the next run. */
export function createImporter(databaseFile: string, log: Log): Importer {
  let worker: Worker | null = null

  function start(): Worker {
    const program = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)
    const started = new Worker(program, { workerData: { databaseFile }, execArgv: [], resourceLimits: HEAP })
    // the run that waits for it learns why it ended
    for (const event of ['error', 'exit']) {
      started.on(event, () => {
        if (worker === started) worker = null
      })
    }
    started.unref()
    return started
  }

  return {
    async run(files) {
      worker ??= start()
      const { error, isDamaged, damagedLines, interrupted } = await answerOf(worker, { files, retention: null })
      if (damagedLines > 0) {
        const file = `${databaseFile}-usage-damaged`
        log('error', 'damaged lines of the usage journal were set aside', { count: damagedLines, file })
      }
      if (interrupted > 0) {
        const message =
          'Gate was killed while it answered requests; what they had used is counted as far as it is known'
        log('warn', message, { count: interrupted })
      }
      if (error !== null) throw new ImportError(error, isDamaged)
    },
    async keepUp(retention) {
      worker ??= start()
      const { error, isDamaged, hasMore } = await answerOf(worker, { files: [], retention })
      if (error !== null) throw new ImportError(error, isDamaged)
      return hasMore
    },
    async close() {
      await worker?.terminate()
    },
  }
}

function answerOf(worker: Worker, request: ImportRequest): Promise<ImportAnswer> {
  return new Promise((resolve, reject) => {
    const onMessage = (answer: ImportAnswer) => {
      settle()
      resolve(answer)
    }
    const onError = (error: unknown) => {
      settle()
      reject(error instanceof Error ? error : new Error(String(error)))
    }
    const onExit = (code: number) => onError(new Error(`the worker that imports usage rows ended with code ${code}`))
    function settle() {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      worker.unref()
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.ref()
    worker.postMessage(request)
  })
}
