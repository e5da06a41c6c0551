import type { BackendConfig } from '../../schemas/config/config.ts'
import { durationMs } from '../../schemas/config/values.ts'
import type { Log } from '../../schemas/words/log.ts'
import { inBackground } from '../../system/background.ts'
import { inPool } from '../../system/pool.ts'
import { type AgentClient, LOOK_UPS_AT_ONCE } from './agent-client.ts'
import type { Engine, EngineFailure } from './engine.ts'
import { createInterpreter, type Interpreter } from './interpreter.ts'
import { type Caller, type Lease, takeLease } from './lease.ts'
import { limitsOf } from './limits.ts'
import type { BackendSetup } from './scheduler-state.ts'
import { type BackendState, type BackendStatus, type Entry, stateOf, statusOf } from './status.ts'

type BackendsParts = {
  /** Asks the upstream of that name for its models. @returns the HTTP status @throws Error when it cannot be reached */
  readonly probe: (name: string, signal: AbortSignal) => Promise<number>
  /** The agent that listens on a socket. */
  readonly agentAt: (socket: string, backend: string) => AgentClient
  /** Every key that is configured for a backend: none is shown with its log. */
  readonly keysOf: (name: string) => readonly string[]
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** Called with the outcome of a start. */
type StartListener = (name: string, outcome: 'started' | 'failed', seconds: number) => void

export type Backends = ReturnType<typeof createBackends>

/** The backends of the current configuration: every request for one has a lease before it is sent. */
export function createBackends(parts: BackendsParts) {
  const { log, now } = parts
  const entries = new Map<string, Entry>()
  /** One for each group. */
  const interpreters = new Map<string, Interpreter>()
  const retiring = new Set<Promise<void>>()
  const startListeners: StartListener[] = []

  function interpreterOf(config: BackendConfig, name: string): Interpreter {
    const key = groupKey(name, config)
    const known = interpreters.get(key)
    if (known !== undefined) return known
    const interpreter = createInterpreter({
      log,
      now,
      engineOf: (each) => entries.get(each)?.engine,
      onStart,
      onFailure,
    })
    interpreters.set(key, interpreter)
    return interpreter
  }

  function onStart(name: string, outcome: 'started' | 'failed', seconds: number): void {
    for (const listener of startListeners) listener(name, outcome, seconds)
    const entry = entries.get(name)
    if (entry === undefined || outcome === 'failed') return
    if (entry.failure !== null || seconds > 0.1) {
      log('info', 'backend is ready', { upstream: name, duration_ms: Math.round(seconds * 1_000) })
    }
    entry.failure = null
  }

  function onFailure(name: string, failure: EngineFailure): void {
    log('error', 'backend failed to start', { upstream: name, reason: failure.reason })
    const entry = entries.get(name)
    if (entry !== undefined) entry.failure = failure
  }

  /** Takes over one backend's configuration. @returns what its group's scheduler has to know */
  function setUp(name: string, config: BackendConfig): BackendSetup {
    const interpreter = interpreterOf(config, name)
    const engine: Engine = {
      probe: (signal) => parts.probe(name, signal),
      agent: config.agent === undefined ? null : parts.agentAt(config.agent, name),
      startTimeoutMs: durationMs(config.start_timeout),
      secrets: parts.keysOf(name),
    }
    const entry = entries.get(name)
    const limits = limitsOf(config)
    if (entry === undefined) {
      entries.set(name, { name, config, engine, failure: null, interpreter })
      return { name, limits, isChanged: false, carried: null }
    }
    const isChanged = JSON.stringify(entry.config) !== JSON.stringify(config)
    const carried = entry.interpreter.state().backends.get(name) ?? null
    Object.assign(entry, { config, engine, interpreter })
    return { name, limits, isChanged, carried }
  }

  /** Ends a group that has no members any more. */
  function retire(interpreter: Interpreter): void {
    const closed = interpreter.close().finally(() => retiring.delete(closed))
    retiring.add(closed)
  }

  /** @throws RangeError when there is no such backend */
  function entryOf(name: string): Entry {
    const entry = entries.get(name)
    if (entry !== undefined) return entry
    throw new RangeError(`there is no backend "${name}"`)
  }

  const turnAt = (name: string, client: Caller): Lease | Promise<Lease> => takeLease(entries, name, client, now)

  async function start(name: string, signal: AbortSignal): Promise<void> {
    const { interpreter } = entryOf(name)
    interpreter.dispatch({ kind: 'start-asked', name })
    const lease = await turnAt(name, { onGone: (cancel) => signal.addEventListener('abort', cancel, { once: true }) })
    if (lease.kind === 'granted') lease.release(false)
    signal.throwIfAborted()
    if (lease.kind !== 'refused') return
    await interpreter.idle()
    throw new Error(entries.get(name)?.failure?.reason ?? lease.error.message, { cause: lease.error })
  }

  async function stop(name: string, signal: AbortSignal, hold: boolean): Promise<void> {
    const { interpreter, engine } = entryOf(name)
    if (engine.agent === null) throw new Error(`it has no agent that could stop it; set backends.${name}.agent`)
    const stopped = interpreter.stopped(name)
    interpreter.dispatch({ kind: 'stop-asked', name, hold })
    const gone = new Promise<Error>((resolve) => {
      const giveUp = () => resolve(new Error('its requests have not finished yet; it stops when they have'))
      signal.addEventListener('abort', giveUp, { once: true })
    })
    const failure = await Promise.race([stopped, gone])
    if (failure !== null) throw failure
  }

  return {
    /** Calls `listener` after every start from now on. */
    whenStarted: (listener: StartListener): void => void startListeners.push(listener),
    /**
     * Takes over a configuration. What is known of backends that stay is kept; one that has changed is no longer
     * quarantined.
     */
    apply(configs: Readonly<Record<string, BackendConfig>>): void {
      const enabled = Object.entries(configs).filter(([, { enabled }]) => enabled)
      const fresh = enabled.map(([name]) => name).filter((name) => !entries.has(name))
      const names = new Set(enabled.map(([name]) => name))
      for (const name of entries.keys()) if (!names.has(name)) entries.delete(name)
      const setups = enabled.map(([name, config]) => setUp(name, config))
      for (const [key, interpreter] of interpreters) {
        const own = setups.filter(({ name }) => entries.get(name)?.interpreter === interpreter)
        interpreter.dispatch({ kind: 'configured', backends: own })
        const started = own.map(({ name }) => name).filter((name) => fresh.includes(name))
        if (own.length > 1) inBackground(log, 'backends could not be surveyed', () => interpreter.survey(started))
        if (own.length > 0) continue
        interpreters.delete(key)
        retire(interpreter)
      }
    },
    /** A lease at an upstream: at once at one that is not a backend. A backend that sleeps is started. */
    turnAt,
    /** Whether a question of the daemon's own would start it. */
    isAsleep(name: string): boolean {
      const entry = entries.get(name)
      if (entry === undefined || (entry.config.idle_stop === undefined && entry.config.group === undefined))
        return false
      return stateOf(entry.interpreter.state(), name, now()) !== 'ready'
    },
    /** undefined for an upstream that is not a backend. */
    stateOf(name: string): BackendState | undefined {
      const entry = entries.get(name)
      return entry && stateOf(entry.interpreter.state(), name, now())
    },
    list: (): readonly BackendStatus[] => [...entries.values()].map((entry) => statusOf(entry, now())),
    /** Asks the agents of backends that nothing is known of, so that `list` can say whether they run. Never rejects. */
    async lookUp(signal: AbortSignal): Promise<void> {
      const unknown = [...entries.values()].filter((entry) => statusOf(entry, now()).state === 'unknown')
      await inPool(unknown, LOOK_UPS_AT_ONCE, ({ name, interpreter }) => interpreter.lookUp(name, signal))
    },
    /** @throws RangeError when there is no such backend */
    status: (name: string): BackendStatus => statusOf(entryOf(name), now()),
    /** Its agent, for what only operators ask. null: it has none. @throws RangeError when there is no such backend */
    agentOf: (name: string): AgentClient | null => entryOf(name).engine.agent,
    /**
     * Starts it, quarantined or not, and waits until it answers. @throws Error that says why it does not; RangeError
     */
    start,
    /**
     * Stops it once its requests have ended. One that starts on demand starts again with the next request; any other
     * stays stopped until `start`. @throws Error when it cannot be stopped, or `signal` aborts before; RangeError
     */
    stop(name: string, signal: AbortSignal): Promise<void> {
      const { idle_stop, group } = entryOf(name).config
      return stop(name, signal, idle_stop === undefined && group === undefined)
    },
    /** @throws what stop and start throw */
    async restart(name: string, signal: AbortSignal): Promise<void> {
      await stop(name, signal, false)
      await start(name, signal)
    },
    /** Lets every backend be tried again: something on the host may have changed. */
    forgiveAll(): void {
      for (const interpreter of interpreters.values()) interpreter.dispatch({ kind: 'forgiven' })
    },
    async close(): Promise<void> {
      await Promise.all([...retiring, ...[...interpreters.values()].map((interpreter) => interpreter.close())])
    },
  }
}

function groupKey(name: string, { group }: BackendConfig): string {
  return group === undefined ? `backend ${name}` : `group ${group}`
}
