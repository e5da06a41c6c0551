import type { Log } from '../../schemas/words/log.ts'
import { guarded } from '../../system/background.ts'
import { askAgent, describeFailure, type Engine, type EngineFailure, startEngine, stopEngine } from './engine.ts'
import { step } from './scheduler.ts'
import {
  type Effect,
  EMPTY_SCHEDULER,
  type Event,
  type Outcome,
  type SchedulerState,
  type Settled,
  type Ticket,
} from './scheduler-state.ts'
import { isInTurn } from './turn.ts'

type InterpreterParts = {
  /** Of a backend; undefined when it was removed from the configuration. */
  readonly engineOf: (name: string) => Engine | undefined
  readonly onStart: (name: string, outcome: 'started' | 'failed', seconds: number) => void
  readonly onFailure: (name: string, failure: EngineFailure) => void
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** A request that has to wait for its lease. */
export type Wait = {
  readonly kind: 'waiting'
  readonly outcome: Promise<Outcome>
  /**
   * Gives up; `outcome` then stays open.
   * @returns false when it was settled already, so that its lease has to be released
   */
  readonly leave: () => boolean
}

export type Interpreter = ReturnType<typeof createInterpreter>

const STOP_DEADLINE_MS = 130_000
const SURVEY_DEADLINE_MS = 15_000
/** An operator waits for it. */
const LOOK_UP_DEADLINE_MS = 2_000

/**
 * Carries out what the scheduler of one group decides, one thing at a time: probes, starts and stops engines, sets its
 * timer, and feeds back as events what came of it.
 */
export function createInterpreter({ engineOf, onStart, onFailure, log, now }: InterpreterParts) {
  const closing = new AbortController()
  const waits = new Map<Ticket, (outcome: Outcome) => void>()
  const stops = new Map<string, ((error: Error | null) => void)[]>()
  let state: SchedulerState = EMPTY_SCHEDULER
  let lastTicket: Ticket = 0
  let timer: NodeJS.Timeout | undefined
  let work: Promise<void> = Promise.resolve()

  /** @returns the requests whose wait has ended with this event */
  function dispatch(event: Event): readonly Settled[] {
    const next = step(state, event, now())
    state = next.state
    for (const effect of next.effects) carryOut(effect)
    for (const { ticket, outcome } of next.settled) {
      waits.get(ticket)?.(outcome)
      waits.delete(ticket)
    }
    return next.settled
  }

  function carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'start':
        enqueue(() => start(effect.name, effect.evict))
        break
      case 'stop':
        enqueue(() => stop(effect.name))
        break
      case 'wake':
        wakeAt(effect.atMs)
        break
      default:
        effect satisfies never
    }
  }

  function enqueue(task: () => Promise<void>): void {
    work = work.then(async () => {
      if (!closing.signal.aborted) await task()
    })
    work = work.catch((error: unknown) => log('error', 'a step of a backend failed', { error: String(error) }))
  }

  function wakeAt(atMs: number): void {
    clearTimeout(timer)
    if (atMs === Number.POSITIVE_INFINITY || closing.signal.aborted) return
    const wake = guarded(log, 'backends could not be looked after', () => dispatch({ kind: 'woken' }))
    timer = setTimeout(wake, Math.max(Math.ceil(atMs - now()), 1))
  }

  async function start(name: string, evict: readonly string[]): Promise<void> {
    const engine = engineOf(name)
    if (engine === undefined) return
    const startedAt = now()
    const seconds = () => (now() - startedAt) / 1_000
    try {
      for (const other of evict) await makeRoom(other, name)
      await startEngine(engine, closing.signal)
    } catch (error) {
      if (closing.signal.aborted) return
      dispatch({ kind: 'failed', name })
      onStart(name, 'failed', seconds())
      onFailure(name, await describeFailure(engine, error, closing.signal))
      return
    }
    dispatch({ kind: 'started', name })
    const hasOpened = state.backends.get(name)?.circuit.kind === 'open'
    onStart(name, hasOpened ? 'failed' : 'started', seconds())
    if (!hasOpened) return
    const crash = new Error('it starts, but keeps failing')
    onFailure(name, await describeFailure(engine, crash, closing.signal))
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
    dispatch({ kind: 'evicted', name: other })
  }

  async function stop(name: string): Promise<void> {
    const engine = engineOf(name)
    let failure: Error | null = null
    try {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(STOP_DEADLINE_MS)])
      if (engine !== undefined) await stopEngine(engine, signal)
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
      log('warn', 'backend could not be stopped', { upstream: name, error: failure.message })
    }
    dispatch({ kind: 'stopped', name, isStopped: failure === null })
    for (const tell of stops.get(name) ?? []) tell(failure)
    stops.delete(name)
  }

  return {
    dispatch,
    state: () => state,
    /** A request for a lease: its outcome when it need not wait, else its wait. @param arrivedAtMs monotonic */
    request(name: string, arrivedAtMs: number): Outcome | Wait {
      lastTicket += 1
      const ticket = lastTicket
      for (const settled of dispatch({ kind: 'requested', name, ticket, arrivedAtMs }))
        if (settled.ticket === ticket) return settled.outcome
      const outcome = new Promise<Outcome>((resolve) => waits.set(ticket, resolve))
      const leave = () => {
        if (!waits.delete(ticket)) return false
        dispatch({ kind: 'left', name, ticket })
        return true
      }
      return { kind: 'waiting', outcome, leave }
    },
    /**
     * Asks the agents which engines run, so that a daemon that has just started knows what others have left running.
     */
    async survey(names: readonly string[]): Promise<void> {
      for (const name of names) {
        const engine = engineOf(name)
        if (engine === undefined || engine.agent === null || closing.signal.aborted) continue
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(SURVEY_DEADLINE_MS)])
        try {
          dispatch({ kind: 'surveyed', name, isRunning: (await askAgent(engine, signal)) !== 'stopped' })
        } catch (error) {
          // it stays unknown: before another of its group starts, it is stopped
          log('warn', 'the agent of a backend does not answer', { upstream: name, error: String(error) })
        }
      }
    },
    /**
     * Asks the agent of one that nothing is known of, for an operator who looks: it stops and starts nothing, and says
     * nothing when the agent does not answer. An engine that is still starting stays unknown.
     */
    async lookUp(name: string, asked: AbortSignal): Promise<void> {
      const engine = engineOf(name)
      if (engine === undefined || engine.agent === null) return
      const signal = AbortSignal.any([asked, closing.signal, AbortSignal.timeout(LOOK_UP_DEADLINE_MS)])
      const doing = await askAgent(engine, signal).catch(() => 'starting' as const)
      const backend = state.backends.get(name)
      if (backend === undefined || doing === 'starting') return
      const isOthersTurn = state.active.kind !== 'none' && !isInTurn(state, backend)
      if (!isOthersTurn || doing === 'stopped') dispatch({ kind: 'surveyed', name, isRunning: doing === 'running' })
    },
    /** Resolves when the engine has been stopped after `stop-asked`. @returns why it could not be */
    stopped: (name: string) =>
      new Promise<Error | null>((resolve) => {
        stops.set(name, [...(stops.get(name) ?? []), resolve])
      }),
    /** Resolves when nothing is being started, stopped or described. */
    idle: () => work,
    async close(): Promise<void> {
      closing.abort()
      clearTimeout(timer)
      await work
      for (const tell of [...stops.values()].flat()) tell(new Error('the daemon is stopping'))
    },
  }
}
