import type { Active, Backend, SchedulerState } from './scheduler-state.ts'

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

export function sliceEndsAtMs(backend: Backend, nowMs: number): number {
  const { inFlight, waiting, lastStartMs, readyAtMs, lastUsedAtMs } = backend
  if (inFlight === 0 && needsStart(backend, nowMs)) return 0
  const sliceMs = Math.min(Math.max(lastStartMs, SHORTEST_SLICE_MS), LONGEST_SLICE_MS)
  const isIdle = inFlight === 0 && waiting.length === 0
  return Math.min(readyAtMs + sliceMs, isIdle ? lastUsedAtMs + IDLE_MS : Number.POSITIVE_INFINITY)
}

/** When the first waiting request of a backend has waited too long. The time of a start does not count. */
export function waitEndsAtMs({ name, waiting, readyAtMs, limits }: Backend, active: Active): number {
  const [first] = waiting
  const isActive = active.kind !== 'none' && active.name === name
  if (first === undefined || (isActive && active.kind === 'starting')) return Number.POSITIVE_INFINITY
  return Math.max(first.arrivedAtMs, isActive ? readyAtMs : 0) + limits.waitTimeoutMs
}

/** When the state changes although nothing happens; Infinity: never. */
export function nextWakeAtMs(state: SchedulerState, nowMs: number): number {
  const { backends, active } = state
  let wakeAtMs = Number.POSITIVE_INFINITY
  for (const backend of backends.values()) wakeAtMs = Math.min(wakeAtMs, waitEndsAtMs(backend, active))
  if (active.kind !== 'ready' || !othersWait(state, active.name)) return wakeAtMs
  const backend = backends.get(active.name)
  return backend === undefined ? wakeAtMs : Math.min(wakeAtMs, sliceEndsAtMs(backend, nowMs))
}

export function othersWait({ backends }: SchedulerState, name: string): boolean {
  for (const backend of backends.values()) if (backend.name !== name && backend.waiting.length > 0) return true
  return false
}

/** The backend whose first request has waited longest. @param except the one whose time slice has just ended */
export function longestWaiting({ backends }: SchedulerState, except: string | null): Backend | null {
  let longest: Backend | null = null
  let sinceMs = Number.POSITIVE_INFINITY
  for (const backend of backends.values()) {
    const [first] = backend.waiting
    if (backend.name === except || first === undefined || first.arrivedAtMs >= sinceMs) continue
    longest = backend
    sinceMs = first.arrivedAtMs
  }
  return longest
}
