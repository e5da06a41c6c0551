/** Bounds of one backend. Times in milliseconds. */
export type BackendLimits = {
  /** Infinity: no limit. */
  readonly maxConcurrent: number
  readonly maxWaiting: number
  readonly waitTimeoutMs: number
  /** After so long without a request its engine may have stopped on its own; null: it never does. */
  readonly idleStopMs: number | null
  /** Backends of the group with the same word may run at the same time; absent: this one runs alone. */
  readonly together?: string
  /** The higher is served first; absent: 0. */
  readonly priority?: number
}

/** Names one request within its scheduler. */
export type Ticket = number

/** A request that waits. `arrivedAtMs` may lie before the event that brought it: it counts from its first wait. */
type Waiting = { readonly ticket: Ticket; readonly arrivedAtMs: number }

/**
 * Whether requests may cause a start. `failures` counts those in a row; `broke` says that a request found the engine
 * broken since its last start. Past `untilMs` the next request tries again (half-open), and only a start that goes well
 * closes it.
 */
export type Circuit =
  | { readonly kind: 'closed'; readonly failures: number; readonly broke: boolean }
  | { readonly kind: 'open'; readonly failures: number; readonly broke: boolean; readonly untilMs: number }

/** One backend as its scheduler knows it. Times are monotonic milliseconds. */
export type Backend = {
  readonly name: string
  readonly limits: BackendLimits
  /** First come, first served; the first has waited longest. */
  readonly waiting: readonly Waiting[]
  /** Leases given out and not yet released. */
  readonly inFlight: number
  readonly engine: 'unknown' | 'running' | 'stopped'
  readonly circuit: Circuit
  readonly readyAtMs: number
  readonly lastUsedAtMs: number
  /** How long the last start that went well took; 0: there was none. */
  readonly lastStartMs: number
  /** Stopped by the operator: requests are refused until it is started. */
  readonly isHeld: boolean
  /** The operator wants it stopped once its requests have ended. */
  readonly isStopAsked: boolean
}

/**
 * Whose turn it is: the named backend, and those that may run together with it. One engine at a time is started or
 * stopped; the others that run meanwhile go on giving out leases.
 */
export type Active =
  | { readonly kind: 'none' }
  | { readonly kind: 'starting'; readonly name: string; readonly sinceMs: number }
  | { readonly kind: 'ready'; readonly name: string }
  /** No new leases are given out; when the last one is released, another backend becomes active or this one stops. */
  | { readonly kind: 'draining'; readonly name: string }
  | { readonly kind: 'stopping'; readonly name: string }

/**
 * The backends of one group, of which one runs at a time, or several that may run together; a backend without a group
 * is alone in its own.
 */
export type SchedulerState = {
  readonly backends: ReadonlyMap<string, Backend>
  readonly active: Active
  /** When a `woken` event is due, monotonic milliseconds; Infinity: never. */
  readonly wakeAtMs: number
}

/** What has happened; those about a backend that has left the group change nothing. */
export type Event =
  /** These are the backends now. `carried`: what another group knew of one that comes over. */
  | { readonly kind: 'configured'; readonly backends: readonly BackendSetup[] }
  | { readonly kind: 'requested'; readonly name: string; readonly ticket: Ticket; readonly arrivedAtMs: number }
  /** A waiting request has given up. */
  | { readonly kind: 'left'; readonly name: string; readonly ticket: Ticket }
  /** A lease was given back. `broke`: the engine could not be reached, or broke off. */
  | { readonly kind: 'released'; readonly name: string; readonly broke: boolean }
  /** An engine was stopped to make room: part of a `start` effect. */
  | { readonly kind: 'evicted'; readonly name: string }
  /** Answers to a `start` effect. */
  | { readonly kind: 'started' | 'failed'; readonly name: string }
  /** Answer to a `stop` effect. */
  | { readonly kind: 'stopped'; readonly name: string; readonly isStopped: boolean }
  /** What the agent says about an engine that this scheduler has neither started nor stopped yet. */
  | { readonly kind: 'surveyed'; readonly name: string; readonly isRunning: boolean }
  /** The operator wants it started: whatever happened before is forgotten. */
  | { readonly kind: 'start-asked'; readonly name: string }
  /**
   * The operator wants it stopped once its requests have ended. `hold`: until `start-asked`, not until the next
   * request.
   */
  | { readonly kind: 'stop-asked'; readonly name: string; readonly hold: boolean }
  /** Something on the host may have changed: every circuit is closed. */
  | { readonly kind: 'forgiven' }
  /** `wakeAtMs` has come. */
  | { readonly kind: 'woken' }

export type BackendSetup = {
  readonly name: string
  readonly limits: BackendLimits
  /** It may be another engine from now on. */
  readonly isChanged: boolean
  readonly carried: Backend | null
}

/** What the scheduler wants done. */
export type Effect =
  /** Stop the engines of `evict` (`evicted` for each), then start this one: `started` or `failed`. */
  | { readonly kind: 'start'; readonly name: string; readonly evict: readonly string[] }
  /** Stop this one: `stopped`. */
  | { readonly kind: 'stop'; readonly name: string }
  /** Replace the timer: `woken` at that time; Infinity: none. */
  | { readonly kind: 'wake'; readonly atMs: number }

/** Why a request gets no lease. */
export type RefusalReason = 'full' | 'timeout' | 'down' | 'stopped'

export type Outcome =
  /** `coldStart`: its engine started while it waited. */
  | { readonly kind: 'granted'; readonly coldStart: boolean }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly retryAfterMs: number }
  /** The backend has left the group: ask again. */
  | { readonly kind: 'moved' }

/** The end of a request's wait. */
export type Settled = { readonly ticket: Ticket; readonly outcome: Outcome }

export type Step = {
  readonly state: SchedulerState
  readonly effects: readonly Effect[]
  readonly settled: readonly Settled[]
}

export const EMPTY_SCHEDULER: SchedulerState = {
  backends: new Map(),
  active: { kind: 'none' },
  wakeAtMs: Number.POSITIVE_INFINITY,
}

export function newBackend(name: string, limits: BackendLimits): Backend {
  return {
    name,
    limits,
    waiting: [],
    inFlight: 0,
    engine: 'unknown',
    circuit: { kind: 'closed', failures: 0, broke: false },
    readyAtMs: 0,
    lastUsedAtMs: 0,
    lastStartMs: 0,
    isHeld: false,
    isStopAsked: false,
  }
}
