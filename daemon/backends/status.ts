import type { BackendConfig } from '../../schemas/config/config.ts'
import { openForMs } from './circuit.ts'
import type { Engine, EngineFailure } from './engine.ts'
import type { Interpreter } from './interpreter.ts'
import type { Backend, SchedulerState } from './scheduler-state.ts'
import { needsStart } from './time-slice.ts'
import { isInTurn } from './turn.ts'

/** One backend for as long as it is in the configuration. Its group's scheduler knows the rest. */
export type Entry = {
  readonly name: string
  config: BackendConfig
  engine: Engine
  failure: EngineFailure | null
  interpreter: Interpreter
}

export type BackendState =
  /** No request has come for it yet, and its agent could not say whether it runs. */
  | 'unknown'
  /** Its engine does not run, or may have stopped on its own: the next request starts it. */
  | 'cold'
  | 'starting'
  | 'ready'
  /** It finishes its requests before it stops. */
  | 'draining'
  | 'stopping'
  /** It failed to start last time: requests are refused for a while, then the next one tries again. */
  | 'quarantined'
  /** Stopped by the operator: requests are refused until it is started. */
  | 'stopped'

/** A backend as an operator sees it. */
export type BackendStatus = {
  readonly name: string
  readonly provider: string
  readonly group?: string
  readonly state: BackendState
  readonly requests_in_flight: number
  readonly requests_waiting: number
  readonly max_concurrent?: number
  /** Of the last start that went well. */
  readonly start_seconds?: number
  /** When a quarantined backend is tried again. */
  readonly retry_seconds?: number
  /** Why it did not start last time, and the end of its log then. */
  readonly reason?: string
  readonly log: readonly string[]
}

/** @param nowMs monotonic milliseconds */
export function stateOf(state: SchedulerState, name: string, nowMs: number): BackendState {
  const { backends, active } = state
  const backend = backends.get(name)
  if (backend === undefined) return 'unknown'
  const isActive = active.kind !== 'none' && active.name === name
  if (isActive && active.kind !== 'ready') return active.kind
  const isTurn = isInTurn(state, backend)
  if (isTurn && backend.inFlight > 0 && (active.kind === 'draining' || backend.isStopAsked)) return 'draining'
  if (backend.isHeld) return 'stopped'
  if (backend.circuit.kind === 'open') return 'quarantined' // once its time is over, the next request shows whether it starts
  if (isTurn && !needsStart(backend, nowMs)) return 'ready'
  return backend.engine === 'unknown' && !backend.circuit.broke ? 'unknown' : 'cold'
}

/** @param nowMs monotonic milliseconds */
export function statusOf({ name, config, failure, interpreter }: Entry, nowMs: number): BackendStatus {
  const state = interpreter.state()
  const backend = state.backends.get(name)
  return {
    name,
    provider: config.provider,
    ...(config.group === undefined ? {} : { group: config.group }),
    state: stateOf(state, name, nowMs),
    requests_in_flight: backend?.inFlight ?? 0,
    requests_waiting: backend?.waiting.length ?? 0,
    ...(config.max_concurrent === undefined ? {} : { max_concurrent: config.max_concurrent }),
    ...(backend === undefined ? {} : times(backend, nowMs)),
    ...(failure === null ? {} : { reason: failure.reason }),
    log: failure?.log ?? [],
  }
}

function times(backend: Backend, nowMs: number): Pick<BackendStatus, 'start_seconds' | 'retry_seconds'> {
  const { lastStartMs } = backend
  const openMs = openForMs(backend, nowMs)
  return {
    ...(lastStartMs === 0 ? {} : { start_seconds: Math.round(lastStartMs) / 1_000 }),
    ...(openMs > 0 ? { retry_seconds: Math.ceil(openMs / 1_000) } : {}),
  }
}
