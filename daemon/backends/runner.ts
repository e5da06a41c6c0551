import type { Log } from '../../schemas/words/log.ts'
import { describeFailure, type Engine, type EngineFailure, isRunning, startEngine, stopEngine } from './engine.ts'
import { createGroup, type Group } from './group.ts'

export type RunnerParts = {
  /** Of a member; undefined when it was taken out of the configuration. */
  readonly engineOf: (name: string) => Engine | undefined
  readonly onStart: (name: string, outcome: 'started' | 'failed', seconds: number) => void
  readonly onFailure: (name: string, failure: EngineFailure) => void
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export type Runner = ReturnType<typeof createRunner>

const STOP_DEADLINE_MS = 130_000
const SURVEY_DEADLINE_MS = 15_000

/** Does what one group decides: starts and stops its engines, one thing at a time, and wakes the group when time has passed. */
export function createRunner({ engineOf, onStart, onFailure, log, now }: RunnerParts) {
  const closing = new AbortController()
  const halting = new Map<string, ((error: Error | null) => void)[]>()
  let timer: NodeJS.Timeout | null = null
  let work: Promise<void> = Promise.resolve()
  const group = createGroup(
    {
      bring: (name, others) => enqueue(() => bring(name, others)),
      halt: (name) => enqueue(() => halt(name)),
    },
    now,
  )

  function enqueue(task: () => Promise<void>): void {
    work = work.then(async () => {
      if (!closing.signal.aborted) await task()
    })
  }

  /** Tells the group that something has happened. */
  function event<T>(happens: (group: Group) => T): T {
    const result = happens(group)
    if (timer !== null) clearTimeout(timer)
    timer = null
    const due = closing.signal.aborted ? Number.POSITIVE_INFINITY : group.dueAt()
    if (due !== Number.POSITIVE_INFINITY) {
      timer = setTimeout(() => event(({ tick }) => tick()), Math.max(Math.ceil(due - now()), 1))
    }
    return result
  }

  async function bring(name: string, others: readonly string[]): Promise<void> {
    const engine = engineOf(name)
    if (engine === undefined) return
    const startedAt = now()
    const seconds = () => (now() - startedAt) / 1_000
    try {
      for (const other of others) await makeRoom(other, name)
      await startEngine(engine, closing.signal)
    } catch (error) {
      if (closing.signal.aborted) return
      event(({ failed }) => failed(name))
      onStart(name, 'failed', seconds())
      onFailure(name, await describeFailure(engine, error, closing.signal))
      return
    }
    const isUsable = event(({ started }) => started(name))
    onStart(name, isUsable ? 'started' : 'failed', seconds())
    if (!isUsable) {
      const crash = new Error('it starts, but breaks again and again')
      onFailure(name, await describeFailure(engine, crash, closing.signal))
    }
  }

  async function makeRoom(other: string, name: string): Promise<void> {
    const engine = engineOf(other)
    if (engine === undefined) return
    try {
      await stopEngine(engine, AbortSignal.any([closing.signal, AbortSignal.timeout(STOP_DEADLINE_MS)]))
    } catch (error) {
      throw new Error(`"${other}" of the same group could not be stopped`, { cause: error })
    }
    log('info', 'backend stopped to make room', { upstream: other, reason: `"${name}" is wanted` })
    event(({ stopped }) => stopped(other))
  }

  async function halt(name: string): Promise<void> {
    const engine = engineOf(name)
    let failure: Error | null = null
    try {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(STOP_DEADLINE_MS)])
      if (engine !== undefined) await stopEngine(engine, signal)
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
      log('warn', 'backend could not be stopped', { upstream: name, error: failure.message })
    }
    event(({ halted }) => halted(name, failure === null))
    for (const tell of halting.get(name) ?? []) tell(failure)
    halting.delete(name)
  }

  return {
    event,
    stateOf: group.stateOf,
    /** Asks the agents which engines run, so that a daemon that has just started knows what others have left running. */
    async survey(names: readonly string[]): Promise<void> {
      for (const name of names) {
        const engine = engineOf(name)
        if (engine === undefined || engine.agent === null || closing.signal.aborted) continue
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(SURVEY_DEADLINE_MS)])
        try {
          const isUp = await isRunning(engine, signal)
          event(({ surveyed }) => surveyed(name, isUp))
        } catch (error) {
          // it stays unknown: before another of its group starts, it is stopped
          log('warn', 'the agent of a backend does not answer', { upstream: name, error: String(error) })
        }
      }
    },
    /** Resolves when the engine has been stopped after a `stop`. @returns why it could not be */
    halted: (name: string) =>
      new Promise<Error | null>((resolve) => {
        halting.set(name, [...(halting.get(name) ?? []), resolve])
      }),
    /** Resolves when nothing is being started, stopped or described. */
    idle: () => work,
    async close(): Promise<void> {
      closing.abort()
      if (timer !== null) clearTimeout(timer)
      timer = null
      await work
      for (const tell of [...halting.values()].flat()) tell(new Error('the daemon is stopping'))
    },
  }
}
