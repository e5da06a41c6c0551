import type { BackendConfig } from '../../schemas/config/config.ts'
import { durationMs } from '../../schemas/config/values.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { AgentClient } from './agent-client.ts'
import type { Engine } from './engine.ts'
import { type BackendState, createMember, forgive, type MemberLimits } from './member.ts'
import { createRunner, type Runner } from './runner.ts'
import { type BackendStatus, type Entry, statusOf } from './status.ts'
import { type Caller, type Turn, takeTurn } from './turn.ts'

export type BackendsParts = {
  /** Asks the upstream of that name for its models. @returns the HTTP status @throws Error when it cannot be reached */
  readonly probe: (name: string, signal: AbortSignal) => Promise<number>
  /** The agent that listens on a socket. */
  readonly agentAt: (socket: string) => AgentClient
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** What metrics count. */
  readonly onStart: (name: string, outcome: 'started' | 'failed', seconds: number) => void
}

export type Backends = ReturnType<typeof createBackends>

/** The backends of the current configuration: every request for one has its turn here before it is sent. */
export function createBackends(parts: BackendsParts) {
  const { log, now } = parts
  const entries = new Map<string, Entry>()
  const runners = new Map<string, Runner>()
  const retiring = new Set<Promise<void>>()

  function runnerOf(key: string): Runner {
    const known = runners.get(key)
    if (known !== undefined) return known
    const runner = createRunner({
      log,
      now,
      engineOf: (name) => entries.get(name)?.engine,
      onStart: (name, outcome, seconds) => {
        parts.onStart(name, outcome, seconds)
        const entry = entries.get(name)
        if (entry === undefined || outcome === 'failed') return
        if (entry.failure !== null || seconds > 0.1) {
          log('info', 'backend is ready', { upstream: name, duration_ms: Math.round(seconds * 1_000) })
        }
        entry.failure = null
      },
      onFailure: (name, failure) => {
        log('error', 'backend does not start', { upstream: name, reason: failure.reason })
        const entry = entries.get(name)
        if (entry !== undefined) entry.failure = failure
      },
    })
    runners.set(key, runner)
    return runner
  }

  function adopt(name: string, config: BackendConfig): void {
    const runner = runnerOf(groupKey(name, config))
    const known = entries.get(name)
    const engine: Engine = {
      probe: (signal) => parts.probe(name, signal),
      agent: config.agent === undefined ? null : parts.agentAt(config.agent),
      startTimeoutMs: durationMs(config.start_timeout),
      secrets: config.api_key === undefined ? [] : [config.api_key],
    }
    const member = known?.member ?? createMember(name, limitsOf(config))
    if (known !== undefined && JSON.stringify(known.config) !== JSON.stringify(config)) {
      forgive(member)
      member.engine = 'unknown' // it may be another one
    }
    member.limits = limitsOf(config)
    entries.set(name, { member, config, engine, failure: known?.failure ?? null, runner })
  }

  /** Ends a group that has no members any more. */
  function retire(runner: Runner): void {
    const closed = runner.close().finally(() => retiring.delete(closed))
    retiring.add(closed)
  }

  /** @throws RangeError when there is no such backend */
  function entryOf(name: string): Entry {
    const entry = entries.get(name)
    if (entry !== undefined) return entry
    throw new RangeError(`there is no backend "${name}"`)
  }

  const turnAt = (name: string, client: Caller): Promise<Turn> => takeTurn(entries, name, client, now)

  async function start(name: string, signal: AbortSignal): Promise<void> {
    const { member, runner } = entryOf(name)
    if (member.inFlight === 0) member.engine = 'unknown' // whoever asks wants it looked at
    runner.event((group) => group.allow(member))
    const turn = await turnAt(name, { onGone: (cancel) => signal.addEventListener('abort', cancel, { once: true }) })
    if (turn.kind === 'granted') turn.release(false)
    signal.throwIfAborted()
    if (turn.kind !== 'refused') return
    await runner.idle()
    throw new Error(entries.get(name)?.failure?.reason ?? turn.error.message, { cause: turn.error })
  }

  async function stop(name: string, signal: AbortSignal, hold: boolean): Promise<void> {
    const { member, runner, engine } = entryOf(name)
    if (engine.agent === null) throw new Error(`it has no agent that could stop it; set backends.${name}.agent`)
    const halted = runner.halted(name)
    runner.event((group) => group.stop(member, hold))
    const gone = new Promise<Error>((resolve) => {
      const giveUp = () => resolve(new Error('its requests have not ended yet; it stops when they have'))
      signal.addEventListener('abort', giveUp, { once: true })
    })
    const failure = await Promise.race([halted, gone])
    if (failure !== null) throw failure
  }

  return {
    /** Takes over a configuration. What is known of backends that stay is kept; one that has changed is no longer quarantined. */
    apply(configs: Readonly<Record<string, BackendConfig>>): void {
      const enabled = Object.entries(configs).filter(([, { enabled }]) => enabled)
      const fresh = enabled.map(([name]) => name).filter((name) => !entries.has(name))
      const names = new Set(enabled.map(([name]) => name))
      for (const name of entries.keys()) if (!names.has(name)) entries.delete(name)
      for (const [name, config] of enabled) adopt(name, config)
      for (const [key, runner] of runners) {
        const own = [...entries.values()].filter((entry) => entry.runner === runner)
        runner.event((group) => group.apply(own.map(({ member }) => member)))
        if (own.length > 1) void runner.survey(fresh.filter((name) => entries.get(name)?.runner === runner))
        if (own.length > 0) continue
        runners.delete(key)
        retire(runner)
      }
    },
    /** Waits until a request may go to an upstream; one that is no backend may at once. A backend that sleeps is started. */
    turnAt,
    /** Whether a question of the daemon's own would start it. */
    isAsleep(name: string): boolean {
      const entry = entries.get(name)
      if (entry === undefined || (entry.config.idle_stop === undefined && entry.config.group === undefined))
        return false
      return entry.runner.stateOf(entry.member) !== 'ready'
    },
    /** undefined for an upstream that is no backend. */
    stateOf(name: string): BackendState | undefined {
      const entry = entries.get(name)
      return entry?.runner.stateOf(entry.member)
    },
    list: (): readonly BackendStatus[] => [...entries].map(([name, entry]) => statusOf(name, entry, now())),
    /** @throws RangeError when there is no such backend */
    status: (name: string): BackendStatus => statusOf(name, entryOf(name), now()),
    /** Its agent, for what only operators ask. null: it has none. @throws RangeError when there is no such backend */
    agentOf: (name: string): AgentClient | null => entryOf(name).engine.agent,
    /** Starts it, quarantined or not, and waits until it answers. @throws Error that says why it does not; RangeError */
    start,
    /**
     * Stops it once its requests have ended. One that starts on demand starts again with the next request; any other stays
     * stopped until `start`. @throws Error when it cannot be stopped, or `signal` aborts before; RangeError
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
      for (const { member } of entries.values()) forgive(member)
    },
    async close(): Promise<void> {
      await Promise.all([...retiring, ...[...runners.values()].map((runner) => runner.close())])
    },
  }
}

function groupKey(name: string, { group }: BackendConfig): string {
  return group === undefined ? `backend ${name}` : `group ${group}`
}

function limitsOf({ max_concurrent, max_waiting, wait_timeout, idle_stop }: BackendConfig): MemberLimits {
  return {
    maxConcurrent: max_concurrent ?? Number.POSITIVE_INFINITY,
    maxWaiting: max_waiting,
    waitTimeoutMs: durationMs(wait_timeout),
    idleStopMs: idle_stop === undefined ? null : durationMs(idle_stop),
  }
}
