import { COLD_START_MS } from './circuit.ts'
import type { Active, Backend, Effect, Outcome, RefusalReason, SchedulerState, Step } from './scheduler-state.ts'
import { longestWaiting, needsStart, othersWait, sliceEndsAtMs } from './time-slice.ts'

const NONE: Active = { kind: 'none' }
const RETRY_MS = 2_000

/** Everything that can be done at once: gives out leases, drains, chooses who is active next. */
export function advance(given: Step, nowMs: number): Step {
  let step = given
  let except: string | null = null
  for (;;) {
    const { active, backends } = step.state
    if (active.kind === 'starting' || active.kind === 'stopping') return step
    if (active.kind === 'none') {
      const busy = stillBusy(step.state)
      if (busy === null) {
        const next = longestWaiting(step.state, except)
        return next === null ? step : activate(step, next, nowMs)
      }
      step = withActive(step, { kind: 'ready', name: busy.name })
      continue
    }
    const backend = backends.get(active.name)
    if (backend === undefined) {
      step = withActive(step, NONE)
      continue
    }
    if (!mustDrain(step.state, backend, nowMs)) {
      return grantInTurn(withActive(step, { kind: 'ready', name: backend.name }), backend, nowMs)
    }
    if (backend.inFlight > 0) return withActive(step, { kind: 'draining', name: backend.name })
    if (backend.isStopAsked) {
      const stopping = withActive(step, { kind: 'stopping', name: backend.name })
      return withEffect(stopping, { kind: 'stop', name: backend.name })
    }
    except = backend.name
    step = withActive(step, NONE)
  }
}

/** A backend with leases although it is not active: it broke, or came over from another group. */
function stillBusy({ backends }: SchedulerState): Backend | null {
  for (const backend of backends.values()) if (backend.inFlight > 0) return backend
  return null
}

function mustDrain(state: SchedulerState, backend: Backend, nowMs: number): boolean {
  if (backend.isStopAsked) return true
  if (!othersWait(state, backend.name)) return false
  return state.active.kind === 'draining' || nowMs >= sliceEndsAtMs(backend, nowMs)
}

function grantInTurn(given: Step, active: Backend, nowMs: number): Step {
  let step = given
  let backend = active
  while (backend.inFlight < backend.limits.maxConcurrent) {
    const [first, ...waiting] = backend.waiting
    if (first === undefined) return step
    if (needsStart(backend, nowMs)) return activate(step, backend, nowMs)
    const coldStart = first.arrivedAtMs < backend.readyAtMs && backend.lastStartMs >= COLD_START_MS
    backend = { ...backend, waiting, inFlight: backend.inFlight + 1, lastUsedAtMs: nowMs }
    step = settle(withBackend(step, backend), first.ticket, { kind: 'granted', coldStart })
  }
  return step
}

/** Makes it active and starts its engine, once those of all others are stopped. */
function activate(step: Step, backend: Backend, nowMs: number): Step {
  const { name } = backend
  const others = [...step.state.backends.values()].filter((other) => other.name !== name)
  const evict = others
    .filter(({ engine, inFlight }) => engine !== 'stopped' && inFlight === 0)
    .map((other) => other.name)
  const starting = withActive(withBackend(step, { ...backend, engine: 'unknown' }), {
    kind: 'starting',
    name,
    sinceMs: nowMs,
  })
  return withEffect(starting, { kind: 'start', name, evict })
}

export function withBackend(step: Step, backend: Backend): Step {
  const backends = new Map(step.state.backends).set(backend.name, backend)
  return { ...step, state: { ...step.state, backends } }
}

export function withActive(step: Step, active: Active): Step {
  return { ...step, state: { ...step.state, active } }
}

export function withEffect(step: Step, effect: Effect): Step {
  return { ...step, effects: [...step.effects, effect] }
}

export function settle(step: Step, ticket: number, outcome: Outcome): Step {
  return { ...step, settled: [...step.settled, { ticket, outcome }] }
}

export function refuse(step: Step, ticket: number, reason: RefusalReason, retryAfterMs = RETRY_MS): Step {
  return settle(step, ticket, { kind: 'refused', reason, retryAfterMs })
}

/** Refuses every request that waits for it. */
export function refuseAll(step: Step, backend: Backend, reason: RefusalReason, retryAfterMs = RETRY_MS): Step {
  const emptied = withBackend(step, { ...backend, waiting: [] })
  return backend.waiting.reduce((before, { ticket }) => refuse(before, ticket, reason, retryAfterMs), emptied)
}
