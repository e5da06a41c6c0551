import type { BackendConfig } from '../../schemas/config/config.ts'
import type { Engine, EngineFailure } from './engine.ts'
import type { BackendState, Member } from './member.ts'
import type { Runner } from './runner.ts'

/** One backend: its configuration, what is known of it, and who decides about it. */
export type Entry = {
  readonly member: Member
  config: BackendConfig
  engine: Engine
  failure: EngineFailure | null
  runner: Runner
}

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

/** @param now monotonic milliseconds */
export function statusOf(name: string, { member, config, failure, runner }: Entry, now: number): BackendStatus {
  const restMs = member.restUntil - now
  return {
    name,
    provider: config.provider,
    ...(config.group === undefined ? {} : { group: config.group }),
    state: runner.stateOf(member),
    requests_in_flight: member.inFlight,
    requests_waiting: member.waiting.length,
    ...(config.max_concurrent === undefined ? {} : { max_concurrent: config.max_concurrent }),
    ...(member.lastStartMs === 0 ? {} : { start_seconds: Math.round(member.lastStartMs) / 1_000 }),
    ...(restMs > 0 ? { retry_seconds: Math.ceil(restMs / 1_000) } : {}),
    ...(failure === null ? {} : { reason: failure.reason }),
    log: failure?.log ?? [],
  }
}
