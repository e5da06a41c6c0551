import { type BackendState, type Member, needsStart } from './member.ts'

/** A group as it stands. Times are monotonic milliseconds. */
export type GroupView = {
  readonly members: ReadonlyMap<string, Member>
  /** Who has the floor: its engine runs, or is being started or stopped. */
  readonly holder: Member | null
  readonly phase: 'starting' | 'ready' | 'draining' | 'stopping'
}

/**
 * While others wait, an engine keeps its turn for as long as its start took, within these bounds, so that swapping takes
 * half of the time at most …
 */
const SHORTEST_TURN_MS = 1_000
const LONGEST_TURN_MS = 30_000
/** … unless nobody has used it for this long. */
const IDLE_MS = 1_000

export function turnEndsAt(holder: Member, now: number): number {
  const isIdle = holder.inFlight === 0 && holder.waiting.length === 0
  if (holder.inFlight === 0 && needsStart(holder, now)) return 0
  const turnMs = Math.min(Math.max(holder.lastStartMs, SHORTEST_TURN_MS), LONGEST_TURN_MS)
  return Math.min(holder.readyAt + turnMs, isIdle ? holder.lastUsedAt + IDLE_MS : Number.POSITIVE_INFINITY)
}

/** When the first of a member's waiting requests has waited too long. The time of a start does not count. */
export function expiresAt(member: Member, { holder, phase }: GroupView): number {
  const [first] = member.waiting
  if (first === undefined || (member === holder && phase === 'starting')) return Number.POSITIVE_INFINITY
  return Math.max(first.arrivedAt, member === holder ? member.readyAt : 0) + member.limits.waitTimeoutMs
}

/** The member whose first request has waited longest. @param except who has just had its turn */
export function longestWaiting({ members }: GroupView, except: Member | null): Member | null {
  let longest: Member | null = null
  for (const member of members.values()) {
    const first = member.waiting[0]
    if (
      member !== except &&
      first !== undefined &&
      first.arrivedAt < (longest?.waiting[0]?.arrivedAt ?? Number.POSITIVE_INFINITY)
    )
      longest = member
  }
  return longest
}

export function othersWait({ members }: GroupView, holder: Member): boolean {
  if (members.size === 1) return false
  for (const member of members.values()) if (member !== holder && member.waiting.length > 0) return true
  return false
}

export function stateOf(member: Member, { holder, phase }: GroupView, now: number): BackendState {
  if (member === holder && phase !== 'ready') return phase
  if (member.heldByOperator) return 'stopped'
  if (member.restUntil !== 0) return 'quarantined' // when its rest is over, the next request shows whether it starts
  if (member === holder && !needsStart(member, now)) return 'ready'
  return member.engine === 'unknown' && !member.broke ? 'unknown' : 'cold'
}
