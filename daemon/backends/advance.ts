import { COLD_START_MS } from './circuit.ts'
import type { Active, Backend, Effect, Outcome, RefusalReason, SchedulerState, Step } from './scheduler-state.ts'
import { needsStart, yieldsAtMs } from './time-slice.ts'
import { inTurn, mayRunTogether, nextInTurn } from './turn.ts'

const NONE: Active = { kind: 'none' }
const RETRY_MS = 2_000

/** Everything that can be done at once: gives out leases, drains, chooses who is active next. */
export function advance(given: Step, nowMs: number): Step {
  let step = given
  /** Those whose turn has just ended. */
  let before: ReadonlySet<string> = new Set()
  for (;;) {
    const { active, backends } = step.state
    const members = inTurn(step.state)
    if (active.kind === 'starting' || active.kind === 'stopping')
      return mustYield(step.state, members, nowMs) ? step : grantAll(step, members, nowMs)
    if (active.kind === 'none') {
      const all = [...backends.values()]
      const next = nextInTurn(all.filter(({ name }) => !before.has(name)))
      // with leases although it is not active: it broke, is not the one that failed, or came over from another group
      const busy = all.find(({ inFlight }) => inFlight > 0)
      if (busy === undefined) return next === null ? step : activate(step, next, nowMs)
      step = withActive(step, { kind: 'ready', name: busy.name })
      continue
    }
    const backend = backends.get(active.name)
    if (backend === undefined) {
      step = withActive(step, NONE)
      continue
    }
    if (backend.isStopAsked && backend.inFlight === 0) {
      const stopping = withActive(step, { kind: 'stopping', name: backend.name })
      return withEffect(stopping, { kind: 'stop', name: backend.name })
    }
    const open = members.find(({ isStopAsked }) => !isStopAsked)
    const isOver = open === undefined || mustYield(step.state, members, nowMs)
    if (!isOver) return useTurn(withActive(step, { kind: 'ready', name: open.name }), members, nowMs)
    if (members.some(({ inFlight }) => inFlight > 0)) return withActive(step, { kind: 'draining', name: active.name })
    before = new Set(members.map(({ name }) => name))
    step = withActive(step, NONE)
  }
}

function mustYield(state: SchedulerState, members: readonly Backend[], nowMs: number): boolean {
  const atMs = yieldsAtMs(state, members, nowMs)
  return state.active.kind === 'draining' ? atMs !== Number.POSITIVE_INFINITY : nowMs >= atMs
}

/** Gives out leases at all that run, and starts one of those that do not. */
function useTurn(given: Step, members: readonly Backend[], nowMs: number): Step {
  const step = grantAll(given, members, nowMs)
  const cold = members.flatMap(({ name, isStopAsked }) => {
    const member = isStopAsked ? undefined : step.state.backends.get(name)
    return member !== undefined && hasPlace(member) && needsStart(member, nowMs) ? [member] : []
  })
  const next = nextInTurn(cold)
  return next === null ? step : activate(step, next, nowMs)
}

function grantAll(given: Step, members: readonly Backend[], nowMs: number): Step {
  const { active } = given.state
  // of the one that is being started or stopped nothing can be given out
  const busy = active.kind === 'starting' || active.kind === 'stopping' ? active.name : null
  return members.reduce(
    (step, member) => (member.isStopAsked || member.name === busy ? step : grantInTurn(step, member, nowMs)),
    given,
  )
}

const hasPlace = ({ inFlight, limits }: Backend): boolean => inFlight < limits.maxConcurrent

/** Gives out leases at a backend that runs, in the order of its requests. */
export function grantInTurn(given: Step, member: Backend, nowMs: number): Step {
  let step = given
  let backend = member
  while (hasPlace(backend) && !needsStart(backend, nowMs)) {
    const [first, ...waiting] = backend.waiting
    if (first === undefined) return step
    const coldStart = first.arrivedAtMs < backend.readyAtMs && backend.lastStartMs >= COLD_START_MS
    backend = { ...backend, waiting, inFlight: backend.inFlight + 1, lastUsedAtMs: nowMs }
    step = settle(withBackend(step, backend), first.ticket, { kind: 'granted', coldStart })
  }
  return step
}

/** Makes it active and starts its engine, once those of all others are stopped that may not run together with it. */
function activate(step: Step, backend: Backend, nowMs: number): Step {
  const { name } = backend
  const others = [...step.state.backends.values()].filter((other) => !mayRunTogether(backend, other))
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
