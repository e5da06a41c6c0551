/** Bounds of one backend. Times in milliseconds. */
export type MemberLimits = {
  /** Infinity: no limit. */
  readonly maxConcurrent: number
  readonly maxWaiting: number
  readonly waitTimeoutMs: number
  /** After so long without a request its engine may have stopped by itself; null: it never does. */
  readonly idleStopMs: number | null
}

export type BackendState =
  /** Nobody has asked for it yet, and nobody could say whether it runs. */
  | 'unknown'
  /** Its engine does not run, or may have stopped by itself: the next request starts it. */
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

/** Why a request may not have its turn. */
export type RefusalReason = 'full' | 'timeout' | 'down' | 'stopped'

export type Outcome =
  /** `coldStart`: its engine started while it waited. */
  | { readonly kind: 'granted'; readonly coldStart: boolean }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly retryAfterMs: number }
  /** The configuration of the backend has changed: ask again. */
  | { readonly kind: 'moved' }

/** A request that wants its turn at a backend. `settle` is called once, at once or later. */
export type Waiter = {
  readonly backend: string
  /** Monotonic milliseconds. */
  readonly arrivedAt: number
  readonly settle: (outcome: Outcome) => void
}

/** One backend of a group. Times are monotonic milliseconds. */
export type Member = {
  readonly name: string
  limits: MemberLimits
  /** First come, first served. */
  readonly waiting: Waiter[]
  inFlight: number
  /** What is known of its engine. */
  engine: 'unknown' | 'running' | 'stopped'
  /** A request found it broken since it was last ready. */
  broke: boolean
  readyAt: number
  lastUsedAt: number
  lastStartMs: number
  failures: number
  /** 0: it did not fail, or was forgiven. */
  restUntil: number
  heldByOperator: boolean
  /** The operator wants it stopped once its requests are finished. */
  stopAsked: boolean
}

/** A start shorter than this was none: the engine ran, or answered at once. */
export const COLD_START_MS = 100
/** An engine that breaks sooner than this after its start counts as one that failed to start. */
const STABLE_MS = 60_000
const MOST_CRASHES = 3
const FIRST_REST_MS = 2_000
const LONGEST_REST_MS = 600_000

export function createMember(name: string, limits: MemberLimits): Member {
  return {
    name,
    limits,
    waiting: [],
    inFlight: 0,
    engine: 'unknown',
    broke: false,
    readyAt: 0,
    lastUsedAt: 0,
    lastStartMs: 0,
    failures: 0,
    restUntil: 0,
    heldByOperator: false,
    stopAsked: false,
  }
}

/** Whether a request can be sent only after looking whether its engine runs. */
export function needsStart(member: Member, now: number): boolean {
  if (member.engine !== 'running') return true
  const { idleStopMs } = member.limits
  return idleStopMs !== null && member.inFlight === 0 && now - member.lastUsedAt >= idleStopMs
}

/** Takes note of a start that went well. @returns false when it was one crash too many */
export function noteStarted(member: Member, startedAt: number, now: number): boolean {
  const crashed = member.broke && now - startedAt >= COLD_START_MS
  if (crashed) member.failures = startedAt - member.readyAt < STABLE_MS ? member.failures + 1 : 1
  else if (!member.broke) member.failures = 0
  if (crashed && member.failures >= MOST_CRASHES) return false
  member.engine = 'running'
  member.broke = false
  member.readyAt = now
  member.lastUsedAt = now
  member.lastStartMs = now - startedAt
  member.restUntil = 0
  return true
}

/** Takes note of a start that failed: it rests, longer with each failure in a row. */
export function noteFailed(member: Member, now: number): void {
  member.engine = 'unknown'
  const restMs = Math.min(FIRST_REST_MS * 2 ** member.failures, LONGEST_REST_MS)
  member.failures = Math.min(member.failures + 1, 20)
  member.restUntil = now + restMs
}

/** Forgets its failures, so that the next request starts it. */
export function forgive(member: Member): void {
  member.failures = 0
  member.restUntil = 0
  member.broke = false
}
