import type { Backend, SchedulerState } from './scheduler-state.ts'
import { inTurn, isInTurn, mostUrgent, othersInNeed } from './turn.ts'

/**
 * While others wait, an engine keeps its time slice for as long as its start took, within these bounds, so that
 * swapping takes half of the time at most …
 */
const SHORTEST_SLICE_MS = 1_000
const LONGEST_SLICE_MS = 30_000
/** … unless no request has used it for this long. */
const IDLE_MS = 1_000

/** Whether a lease can be given out only after looking whether the engine runs. */
export function needsStart(
  { engine, limits: { idleStopMs }, inFlight, lastUsedAtMs }: Backend,
  nowMs: number,
): boolean {
  if (engine !== 'running') return true
  return idleStopMs !== null && inFlight === 0 && nowMs - lastUsedAtMs >= idleStopMs
}

/**
 * When backends whose turn it is give way to others; Infinity: not before something else happens. Others of a higher
 * priority are next as soon as the requests in flight have ended, those of a lower one once none is left here.
 * @param members those whose turn it is
 */
export function yieldsAtMs(state: SchedulerState, members: readonly Backend[], nowMs: number): number {
  const others = othersInNeed(state, members)
  if (others.length === 0) return Number.POSITIVE_INFINITY
  const inUse = members.filter(({ inFlight, waiting }) => inFlight > 0 || waiting.length > 0)
  if (inUse.length === 0) return sliceEndsAtMs(members, nowMs)
  const [own, theirs] = [mostUrgent(inUse), mostUrgent(others)]
  if (own === theirs) return sliceEndsAtMs(members, nowMs)
  return own > theirs ? Number.POSITIVE_INFINITY : 0
}

/** What has run longest decides, so that members of a set that stop and start again do not prolong its turn. */
function sliceEndsAtMs(members: readonly Backend[], nowMs: number): number {
  const running = members.filter((member) => member.inFlight > 0 || !needsStart(member, nowMs))
  if (running.length === 0) return 0
  const endMs = Math.min(...running.map(({ readyAtMs, lastStartMs }) => readyAtMs + sliceMs(lastStartMs)))
  const isIdle = members.every(({ inFlight, waiting }) => inFlight === 0 && waiting.length === 0)
  return isIdle ? Math.min(endMs, Math.max(...running.map(({ lastUsedAtMs }) => lastUsedAtMs)) + IDLE_MS) : endMs
}

const sliceMs = (lastStartMs: number): number => Math.min(Math.max(lastStartMs, SHORTEST_SLICE_MS), LONGEST_SLICE_MS)

/** When the first waiting request of a backend has waited too long. The time of a start does not count. */
export function waitEndsAtMs(backend: Backend, state: SchedulerState): number {
  const { name, waiting, readyAtMs, limits } = backend
  const { active } = state
  const [first] = waiting
  if (first === undefined || (active.kind === 'starting' && active.name === name)) return Number.POSITIVE_INFINITY
  return Math.max(first.arrivedAtMs, isInTurn(state, backend) ? readyAtMs : 0) + limits.waitTimeoutMs
}

/** When the state changes although nothing happens; Infinity: never. */
export function nextWakeAtMs(state: SchedulerState, nowMs: number): number {
  let wakeAtMs = Number.POSITIVE_INFINITY
  for (const backend of state.backends.values()) wakeAtMs = Math.min(wakeAtMs, waitEndsAtMs(backend, state))
  if (state.active.kind !== 'ready') return wakeAtMs
  return Math.min(wakeAtMs, yieldsAtMs(state, inTurn(state), nowMs))
}
