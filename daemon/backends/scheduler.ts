import { advance, grantInTurn, refuse, refuseAll, settle, withActive, withBackend, withEffect } from './advance.ts'
import { afterBreak, afterFailure, afterStart, CLOSED, openForMs } from './circuit.ts'
import {
  type Backend,
  type BackendSetup,
  type Event,
  newBackend,
  type SchedulerState,
  type Step,
} from './scheduler-state.ts'
import { nextWakeAtMs, waitEndsAtMs } from './time-slice.ts'
import { isInTurn } from './turn.ts'

/**
 * The scheduler of one group: what follows from an event, and nothing else. It has no clock, does nothing on its own
 * and never waits: the interpreter carries out the effects and tells the requests in `settled` how their wait ended.
 *
 * One backend is active, and with it those that may run together with it. Requests for these get leases up to their
 * limits; those for others wait, first come, first served. When the time slice is over they drain: no new lease is given
 * out, and after the last release the backend becomes active whose first request has waited longest, among those of the
 * highest priority. Its engine starts when those of all others are stopped that may not run together with it.
 * @param nowMs monotonic milliseconds, never before those of the last event
 */
export function step(state: SchedulerState, event: Event, nowMs: number): Step {
  const next = react({ state, effects: [], settled: [] }, event, nowMs)
  const wakeAtMs = nextWakeAtMs(next.state, nowMs)
  // a timer that has fired is gone, also when it did so a little early
  if (wakeAtMs === state.wakeAtMs && event.kind !== 'woken') return next
  return withEffect({ ...next, state: { ...next.state, wakeAtMs } }, { kind: 'wake', atMs: wakeAtMs })
}

function react(unchanged: Step, event: Event, nowMs: number): Step {
  if (event.kind === 'configured') return configured(unchanged, event.backends, nowMs)
  if (event.kind === 'forgiven') return forgiven(unchanged)
  if (event.kind === 'woken') return woken(unchanged, nowMs)
  const { state } = unchanged
  const backend = state.backends.get(event.name)
  if (backend === undefined) return unchanged
  const isActive = state.active.kind !== 'none' && state.active.name === event.name
  switch (event.kind) {
    case 'requested': {
      const openMs = openForMs(backend, nowMs)
      if (backend.isHeld) return refuse(unchanged, event.ticket, 'stopped')
      if (openMs > 0) return refuse(unchanged, event.ticket, 'down', openMs)
      if (backend.waiting.length >= backend.limits.maxWaiting) return refuse(unchanged, event.ticket, 'full')
      const waiting = [...backend.waiting, { ticket: event.ticket, arrivedAtMs: event.arrivedAtMs }]
      return advance(withBackend(unchanged, { ...backend, waiting }), nowMs)
    }
    case 'left': {
      const waiting = backend.waiting.filter(({ ticket }) => ticket !== event.ticket)
      return advance(withBackend(unchanged, { ...backend, waiting }), nowMs)
    }
    case 'released': {
      const released = { ...backend, inFlight: backend.inFlight - 1, lastUsedAtMs: nowMs }
      const next = withBackend(unchanged, event.broke ? afterBreak(released) : released)
      // the others of its set go on
      const mayStop = backend.isStopAsked && released.inFlight === 0 && !isActive
      return advance(mayStop ? withEffect(next, { kind: 'stop', name: event.name }) : next, nowMs)
    }
    case 'evicted':
      return isActive ? unchanged : withBackend(unchanged, { ...backend, engine: 'stopped' })
    case 'started':
      return started(unchanged, backend, nowMs)
    case 'failed':
      return failed(unchanged, backend, nowMs)
    case 'stopped': {
      if (isActive && state.active.kind !== 'stopping') return unchanged
      const engine = event.isStopped ? 'stopped' : 'unknown'
      const stopped = withBackend(unchanged, { ...backend, engine, isStopAsked: false })
      return advance(isActive ? withActive(stopped, { kind: 'none' }) : stopped, nowMs)
    }
    case 'surveyed':
      return isActive ? unchanged : surveyed(unchanged, backend, event.isRunning, nowMs)
    case 'start-asked': {
      // who asks wants it looked at; an engine that answers requests need not be
      const engine = backend.inFlight === 0 ? 'unknown' : backend.engine
      return advance(
        withBackend(unchanged, { ...backend, engine, circuit: CLOSED, isHeld: false, isStopAsked: false }),
        nowMs,
      )
    }
    case 'stop-asked': {
      const asked = { ...backend, isHeld: event.hold, isStopAsked: true }
      const refused = event.hold ? refuseAll(unchanged, asked, 'stopped') : withBackend(unchanged, asked)
      if (isActive || backend.inFlight > 0) return advance(refused, nowMs)
      return withEffect(refused, { kind: 'stop', name: event.name })
    }
    default:
      return event satisfies never
  }
}

/** What is known of backends that stay is kept. One that has left takes no part any more: its requests ask again. */
function configured(before: Step, setups: readonly BackendSetup[], nowMs: number): Step {
  const { backends, active } = before.state
  const kept = new Map(setups.map((setup) => [setup.name, configuredBackend(setup, backends.get(setup.name))]))
  const left = [...backends.values()].filter(({ name }) => !kept.has(name)).flatMap(({ waiting }) => waiting)
  const moved = left.reduce((step, { ticket }) => settle(step, ticket, { kind: 'moved' }), before)
  const isActiveGone = active.kind !== 'none' && !kept.has(active.name)
  const state: SchedulerState = { ...moved.state, backends: kept, active: isActiveGone ? { kind: 'none' } : active }
  return advance({ ...moved, state }, nowMs)
}

function configuredBackend({ name, limits, isChanged, carried }: BackendSetup, own: Backend | undefined): Backend {
  const known = own ?? (carried === null ? newBackend(name, limits) : { ...carried, waiting: [] })
  return isChanged ? { ...known, limits, engine: 'unknown', circuit: CLOSED } : { ...known, limits }
}

function started(unchanged: Step, backend: Backend, nowMs: number): Step {
  const { active } = unchanged.state
  if (active.kind !== 'starting' || active.name !== backend.name) return unchanged
  const next = afterStart(backend, active.sinceMs, nowMs)
  if (next.circuit.kind === 'open') return opened(unchanged, next, nowMs)
  const ready = withActive(withBackend(unchanged, next), { kind: 'ready', name: next.name })
  // what has waited for this start is served, whoever else has come meanwhile
  return advance(next.isStopAsked ? ready : grantInTurn(ready, next, nowMs), nowMs)
}

function failed(unchanged: Step, backend: Backend, nowMs: number): Step {
  const { active } = unchanged.state
  if (active.kind !== 'starting' || active.name !== backend.name) return unchanged
  return opened(unchanged, afterFailure(backend, nowMs), nowMs)
}

/** The circuit of the active backend has opened. */
function opened(before: Step, backend: Backend, nowMs: number): Step {
  const refused = refuseAll(before, backend, 'down', openForMs(backend, nowMs))
  const active = backend.isStopAsked ? ({ kind: 'draining', name: backend.name } as const) : ({ kind: 'none' } as const)
  return advance(withActive(refused, active), nowMs)
}

function surveyed(unchanged: Step, backend: Backend, isRunning: boolean, nowMs: number): Step {
  if (backend.engine !== 'unknown') return unchanged
  if (!isRunning) return withBackend(unchanged, { ...backend, engine: 'stopped' })
  const { name } = backend
  const running = withBackend(unchanged, { ...backend, engine: 'running', readyAtMs: nowMs, lastUsedAtMs: nowMs })
  if (unchanged.state.active.kind === 'none') return withActive(running, { kind: 'ready', name })
  return isInTurn(unchanged.state, backend) ? running : withEffect(unchanged, { kind: 'stop', name })
}

function forgiven(step: Step): Step {
  const backends = [...step.state.backends].map(([name, backend]) => [name, { ...backend, circuit: CLOSED }] as const)
  return { ...step, state: { ...step.state, backends: new Map(backends) } }
}

/** Refuses what has waited too long, and ends time slices that are over. */
function woken(before: Step, nowMs: number): Step {
  let step = before
  for (const { name } of before.state.backends.values()) {
    for (;;) {
      const backend = step.state.backends.get(name)
      const [first, ...waiting] = backend?.waiting ?? []
      if (backend === undefined || first === undefined || waitEndsAtMs(backend, step.state) > nowMs) break
      step = refuse(withBackend(step, { ...backend, waiting }), first.ticket, 'timeout')
    }
  }
  return advance(step, nowMs)
}
