import { hash } from 'node:crypto'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Log } from '../../schemas/words/log.ts'
import { createTurns } from './turns.ts'
import type { Question, Verdict } from './verdict.ts'

/** Times in milliseconds. */
const LIMITS = {
  /** Of the processor, for one question: to compile its schema, and to look at what is to fit it. */
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
/** Schemas that took too long are remembered, so that each costs a thread once in this time. */
const MOST_COSTLY = 256
const COSTLY_MS = 3_600_000

type Job = {
  readonly question: Question
  readonly keyId: string
  readonly at: number
  readonly answer: (verdict: Verdict) => void
}

const UNCHECKED: Verdict = { kind: 'unchecked' }

export type Checker = ReturnType<typeof createChecker>

/**
 * Looks at JSON that models wrote, in a thread of its own, which begins with the first question. Clients send the
 * schemas, so one that takes too long, or too much memory, costs that thread and nothing else: another one begins.
 * @param now monotonic milliseconds
 */
export function createChecker(log: Log, now: () => number, limits: Partial<typeof LIMITS> = {}) {
  const { longestMs, startMs, waitMs, mostWaiting, mostCharacters, heapMb } = { ...LIMITS, ...limits }
  const turns = createTurns<Job>(now, mostWaiting)
  let characters = 0
  let thread: { readonly worker: Worker; isReady: boolean } | null = null
  let asked: Job | null = null
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  /** By the hash of a schema, until when it is not looked at. */
  const costly = new Map<string, number>()

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
        if (asked !== null) limit(started, asked)
      }
    })
    worker.on('error', (error) => lose(started, error.message, true))
    worker.on('exit', () => lose(started, 'the thread ended', true))
    return started
  }

  function next(): void {
    while (asked === null) {
      const job = turns.next()
      if (job === undefined) return
      characters -= sizeOf(job.question)
      if (isClosed || now() - job.at > waitMs || isCostly(job.question)) job.answer(UNCHECKED)
      else {
        asked = job
        thread ??= start()
        const { worker, isReady } = thread
        if (isReady) limit(thread, job)
        else timer = setTimeout(lose, startMs, thread, 'it did not begin', false).unref()
        worker.postMessage(job.question)
      }
    }
  }

  /** A question has so much of the processor as its own thread uses it; where others use it, the question ends, too. */
  function limit(running: NonNullable<typeof thread>, job: Job): void {
    clearTimeout(timer)
    const before = running.worker.cpuUsage()
    let rounds = 0
    timer = setInterval(() => {
      rounds += 1
      if (rounds >= MOST_ROUNDS) lose(running, 'the machine is too busy', false)
      else {
        before
          .then((usage) => running.worker.cpuUsage(usage))
          .then(({ user, system }) => {
            if (asked === job && (user + system) / 1_000 >= longestMs) lose(running, 'it took too long', true)
          })
          .catch(() => {}) // the thread has ended
      }
    }, longestMs).unref()
    before.catch(() => {})
  }

  /** The thread is of no more use; what it was asked goes unchecked. @param isItsOwn what it was asked is the reason */
  function lose(lost: NonNullable<typeof thread>, reason: string, isItsOwn: boolean): void {
    if (thread !== lost) return
    thread = null
    lost.worker.terminate().catch(() => {}) // it has ended
    if (asked === null) return
    if (!isClosed)
      log('warn', 'JSON of a model could not be checked against the schema of its client', { error: reason })
    if (lost.isReady && isItsOwn) condemn(asked)
    settle(UNCHECKED)
  }

  function condemn({ question: { schema }, keyId }: Job): void {
    turns.putBehind(keyId)
    if (schema === null) return
    const digest = hash('sha256', schema)
    costly.delete(digest) // put in again, as the newest
    costly.set(digest, now() + COSTLY_MS)
    const [oldest] = costly.keys()
    if (costly.size > MOST_COSTLY && oldest !== undefined) costly.delete(oldest)
  }

  function isCostly({ schema }: Question): boolean {
    if (costly.size === 0 || schema === null) return false
    return now() < (costly.get(hash('sha256', schema)) ?? Number.NEGATIVE_INFINITY)
  }

  function settle(verdict: Verdict): void {
    clearTimeout(timer)
    const job = asked
    asked = null
    job?.answer(verdict)
    next()
  }

  return {
    /** Never fails: what cannot be looked at is unchecked. @param keyId whose request it is for: keys take turns */
    check: (question: Question, keyId: string): Promise<Verdict> =>
      new Promise((resolve) => {
        const size = sizeOf(question)
        const job = { question, keyId, at: now(), answer: resolve }
        if (isClosed || characters + size > mostCharacters || !turns.add(job)) {
          resolve(UNCHECKED)
          return
        }
        characters += size
        next()
      }),
    async close(): Promise<void> {
      isClosed = true
      clearTimeout(timer)
      const worker = thread?.worker
      if (thread !== null) lose(thread, 'the gateway stops', false)
      next()
      await worker?.terminate()
    },
  }
}

const sizeOf = ({ text, schema }: Question): number => text.length + (schema?.length ?? 0)
