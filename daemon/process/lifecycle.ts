import type { Log } from '../../schemas/words/log.ts'
import type { Notify } from './notify.ts'

/**
 * starting -> ready -> (reloading -> ready)* -> draining -> stopped.
 * draining can be entered from every state before it; nothing leaves stopped.
 */
type LifecycleState = 'starting' | 'ready' | 'reloading' | 'draining' | 'stopped'

/** What became of one request to reload. `ignored`: the daemon was starting or stopping. */
type ReloadOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'ignored'; readonly state: LifecycleState }

/** @param signal aborted when waiting any longer is over: end what is left and return */
export type StopWork = (signal: AbortSignal) => Promise<void> | void

export type Lifecycle = {
  state(): LifecycleState
  /**
   * Says that requests can be served. Does nothing when the daemon is already stopping.
   * @param status what systemd shows while nothing else is to be said
   */
  ready(status?: string): Promise<void>
  /**
   * Adds work to every reload, run in the order added. It throws to refuse; what it served before must then still
   * serve.
   */
  onReload(task: string, work: () => Promise<void> | void): void
  /** Adds a wait for requests in flight, run one after the other in the order added, all under one deadline. */
  onDrain(task: string, work: StopWork): void
  /** Adds a release of a resource, run after the drains in the order added, also when those were cut off. */
  onStop(task: string, work: StopWork): void
  /**
   * Runs the reload work. A request that comes while one runs is served by one more run after it, shared by
   * all that came meanwhile: whatever the caller changed before is seen.
   */
  reload(): Promise<ReloadOutcome>
  /**
   * Drains and stops; later calls get the same promise.
   * @param failed the daemon ends because it failed, so that no clean stop makes it a success
   * @returns exit code: 0 all finished, 1 something was cut off or failed
   */
  stop(reason: string, failed?: boolean): Promise<number>
  /** Ends the wait of the running phase of a stop (drains, then releases). Does nothing unless stopping. */
  cut(reason: string): void
  /** Settles with the exit code once stopped. */
  readonly stopped: Promise<number>
}

type LifecycleOptions = {
  readonly log: Log
  readonly notify: Notify
  /** Longest wait of all drains together; read when the stop begins. */
  readonly drainDeadlineMs: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
}

type Task = { readonly task: string; readonly work: StopWork }

/** Longest wait for all releases together (flushing rows, closing the store). */
const RELEASE_DEADLINE_MS = 5_000
/** How long a task may take to return once its signal has aborted; then it is abandoned. */
const CUT_GRACE_MS = 1_000

/** Builds the daemon's lifecycle. Touches nothing outside: signals are wired by `installSignals`. */
export function createLifecycle({ log, notify, drainDeadlineMs, now }: LifecycleOptions): Lifecycle {
  let state: LifecycleState = 'starting'
  let phase = new AbortController()
  let running: Promise<ReloadOutcome> | undefined
  let next: Promise<ReloadOutcome> | undefined
  let stopping = false
  let hasFailed = false
  let usual = 'serving'
  const reloads: { readonly task: string; readonly work: () => Promise<void> | void }[] = []
  const drains: Task[] = []
  const releases: Task[] = []
  const { promise: stopped, resolve: settleStopped } = Promise.withResolvers<number>()

  async function ready(status = 'serving'): Promise<void> {
    if (state !== 'starting') return
    state = 'ready'
    usual = status
    log('info', 'ready', { state })
    await notify({ READY: 1, STATUS: usual })
  }

  function reload(): Promise<ReloadOutcome> {
    if (state === 'ready') {
      running = runReload()
      return running
    }
    if (state !== 'reloading' || running === undefined) {
      log('warn', 'reload ignored', { state })
      return Promise.resolve({ kind: 'ignored', state })
    }
    next ??= running.then(() => {
      next = undefined
      return reload()
    })
    return next
  }

  async function runReload(): Promise<ReloadOutcome> {
    state = 'reloading'
    const startMs = now()
    await notify({ RELOADING: 1, STATUS: 'reloading' })
    const outcome = await attemptReload()
    if (outcome.kind === 'done') log('info', 'reloaded', { duration_ms: now() - startMs })
    const status = outcome.kind === 'failed' ? `reload failed, serving as before: ${messageOf(outcome.error)}` : usual
    if (isStopping()) return outcome
    state = 'ready'
    await notify({ READY: 1, STATUS: status })
    return outcome
  }

  async function attemptReload(): Promise<ReloadOutcome> {
    for (const { task, work } of reloads) {
      try {
        await work()
      } catch (error) {
        log('error', 'reload failed, serving as before', { task, error: messageOf(error) })
        return { kind: 'failed', error }
      }
    }
    return { kind: 'done' }
  }

  // a function, because the compiler believes that `state` cannot change across an await
  const isStopping = () => stopping

  function stop(reason: string, failed = false): Promise<number> {
    hasFailed ||= failed
    if (!stopping) {
      stopping = true
      state = 'draining'
      runStop(reason).then(settleStopped, (error: unknown) => {
        log('error', 'stop failed', { error: messageOf(error) })
        settleStopped(1)
      })
    }
    return stopped
  }

  async function runStop(reason: string): Promise<number> {
    const startMs = now()
    const deadlineMs = drainDeadlineMs()
    log('info', 'draining', { state, reason })
    const longestMs = deadlineMs + RELEASE_DEADLINE_MS + 2 * CUT_GRACE_MS
    await notify({ STOPPING: 1, STATUS: 'draining', EXTEND_TIMEOUT_USEC: longestMs * 1_000 })
    const drained = await runPhase(drains, deadlineMs)
    phase = new AbortController()
    const reloaded: Task = { task: 'reload', work: async () => void (await running) }
    const released = await runPhase([reloaded, ...releases], RELEASE_DEADLINE_MS)
    state = 'stopped'
    const code = drained && released && !hasFailed ? 0 : 1
    log('info', 'stopped', { state, duration_ms: now() - startMs, status: code })
    await notify({ STATUS: 'stopped' })
    return code
  }

  /** @returns whether every task finished on its own, in time and without throwing */
  async function runPhase(tasks: readonly Task[], deadlineMs: number): Promise<boolean> {
    const { signal } = phase
    const timer = setTimeout(() => cut(`deadline of ${deadlineMs} ms passed`), deadlineMs)
    let clean = true
    try {
      for (const { task, work } of tasks) {
        const problem = await attempt(work, signal)
        if (problem === undefined) continue
        clean = false
        log('error', 'stop task failed', { task, error: problem })
      }
    } finally {
      clearTimeout(timer)
    }
    return clean && !signal.aborted
  }

  function cut(reason: string): void {
    if (state !== 'draining' || phase.signal.aborted) return
    log('warn', 'cut off', { state, reason })
    phase.abort(new Error(reason))
  }

  return {
    state: () => state,
    ready,
    onReload: (task, work) => void reloads.push({ task, work }),
    onDrain: (task, work) => void drains.push({ task, work }),
    onStop: (task, work) => void releases.push({ task, work }),
    reload,
    stop,
    cut,
    stopped,
  }
}

/** Runs one task; abandons it when it outlives its signal. @returns what went wrong */
async function attempt(work: StopWork, signal: AbortSignal): Promise<string | undefined> {
  const { promise: abandoned, resolve: abandon } = Promise.withResolvers<string>()
  let timer: NodeJS.Timeout | undefined
  const onAbort = () => {
    timer = setTimeout(() => abandon('did not end after its deadline, abandoned'), CUT_GRACE_MS)
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  const finished = (async () => work(signal))().then(() => undefined, messageOf)
  try {
    return await Promise.race([finished, abandoned])
  } finally {
    signal.removeEventListener('abort', onAbort)
    clearTimeout(timer)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Two stop signals closer together than this are one: Ctrl-C under `npm start` reaches the daemon twice within a
 * few milliseconds, from the terminal to the whole process group and again forwarded by npm.
 */
const SAME_SIGNAL_MS = 500

/** The part of `process` that signals come from. */
type SignalSource = {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
}

/**
 * SIGHUP reloads; SIGTERM or SIGINT drains and stops, a second one stops now.
 * @param now monotonic milliseconds
 * @returns removes the handlers
 */
export function installSignals(source: SignalSource, lifecycle: Lifecycle, now: () => number): () => void {
  let firstMs: number | undefined
  // neither promise rejects; main awaits `stopped`, and a stop awaits the reload
  const onHangup = () => void lifecycle.reload()
  const onTerminate = (signal: NodeJS.Signals) => {
    if (firstMs === undefined) {
      firstMs = now()
      void lifecycle.stop(signal)
    } else if (now() - firstMs >= SAME_SIGNAL_MS) lifecycle.cut(`second ${signal}`)
  }
  source.on('SIGHUP', onHangup)
  source.on('SIGTERM', onTerminate)
  source.on('SIGINT', onTerminate)
  return () => {
    source.off('SIGHUP', onHangup)
    source.off('SIGTERM', onTerminate)
    source.off('SIGINT', onTerminate)
  }
}
