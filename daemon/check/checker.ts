import { hash } from 'node:crypto'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Log } from '../../schemas/words/log.ts'
import type { Question, Verdict } from './verdict.ts'

/** Times in milliseconds. */
const LIMITS = {
  /** For one question: to compile its schema, and to look at what is to fit it. */
  longestMs: 2_000,
  /** Until a new thread can be asked. */
  startMs: 20_000,
  /** What has waited longer for those before it goes unchecked. */
  waitMs: 5_000,
  mostWaiting: 256,
  mostCharacters: 32 * 2 ** 20,
  heapMb: 96,
}
/** On a machine that is busy with other things, a question may take longer. */
const MOST_ROUNDS = 15
/** Schemas that took too long are remembered, so that each costs a thread once. */
const MOST_COSTLY = 256

type Job = { readonly question: Question; readonly at: number; readonly answer: (verdict: Verdict) => void }

const UNCHECKED: Verdict = { kind: 'unchecked' }

export type Checker = ReturnType<typeof createChecker>

/**
 * Looks at JSON that models wrote, in a thread of its own, which begins with the first question. Clients send the
 * schemas, so one that takes too long, or too much memory, costs that thread and nothing else: another one begins.
 * @param now monotonic milliseconds
 */
export function createChecker(log: Log, now: () => number, limits: Partial<typeof LIMITS> = {}) {
  const { longestMs, startMs, waitMs, mostWaiting, mostCharacters, heapMb } = { ...LIMITS, ...limits }
  const waiting: Job[] = []
  let characters = 0
  let thread: { readonly worker: Worker; isReady: boolean } | null = null
  let asked: Job | null = null
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  const costly = new Set<string>()

  function start(): NonNullable<typeof thread> {
    const program = new URL(`./program${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(program, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: heapMb } })
    const started = { worker, isReady: false }
    worker.unref()
    worker.on('message', (verdict: Verdict | null) => {
      if (thread !== started) return
      if (verdict !== null) settle(verdict)
      else {
        started.isReady = true
        if (asked !== null) limit(longestMs, MOST_ROUNDS)
      }
    })
    worker.on('error', (error) => lose(started, error.message))
    worker.on('exit', () => lose(started, 'the thread ended'))
    return started
  }

  function next(): void {
    while (asked === null) {
      const job = waiting.shift()
      if (job === undefined) return
      characters -= sizeOf(job.question)
      if (isClosed || now() - job.at > waitMs || isCostly(job.question)) job.answer(UNCHECKED)
      else {
        asked = job
        thread ??= start()
        thread.worker.postMessage(job.question)
        if (thread.isReady) limit(longestMs, MOST_ROUNDS)
        else limit(startMs, 1)
      }
    }
  }

  /** @param rounds as many times as long, while the whole process has not had that much of the processor */
  function limit(ms: number, rounds: number, usedBefore = process.cpuUsage()): void {
    clearTimeout(timer)
    timer = setTimeout(() => {
      const { user, system } = process.cpuUsage(usedBefore)
      if (rounds > 1 && (user + system) / 1_000 < ms) limit(ms, rounds - 1, usedBefore)
      else if (thread !== null) lose(thread, 'it took too long')
    }, ms).unref()
  }

  /** The thread is of no more use; what it was asked goes unchecked. */
  function lose(lost: NonNullable<typeof thread>, reason: string): void {
    if (thread !== lost) return
    thread = null
    lost.worker.terminate().catch(() => {}) // it has ended
    if (asked === null) return
    if (!isClosed)
      log('warn', 'JSON of a model could not be checked against the schema of its client', { error: reason })
    if (lost.isReady && asked.question.schema !== null) {
      costly.add(hash('sha256', asked.question.schema))
      const [oldest] = costly
      if (costly.size > MOST_COSTLY && oldest !== undefined) costly.delete(oldest)
    }
    settle(UNCHECKED)
  }

  function settle(verdict: Verdict): void {
    clearTimeout(timer)
    const job = asked
    asked = null
    job?.answer(verdict)
    next()
  }

  const isCostly = ({ schema }: Question): boolean =>
    costly.size > 0 && schema !== null && costly.has(hash('sha256', schema))

  return {
    /** Never fails: what cannot be looked at is unchecked. */
    check: (question: Question): Promise<Verdict> =>
      new Promise((resolve) => {
        const size = sizeOf(question)
        if (isClosed || waiting.length >= mostWaiting || characters + size > mostCharacters) {
          resolve(UNCHECKED)
          return
        }
        characters += size
        waiting.push({ question, at: now(), answer: resolve })
        next()
      }),
    async close(): Promise<void> {
      isClosed = true
      clearTimeout(timer)
      const worker = thread?.worker
      if (thread !== null) lose(thread, 'the gateway stops')
      next()
      await worker?.terminate()
    },
  }
}

const sizeOf = ({ text, schema }: Question): number => text.length + (schema?.length ?? 0)
