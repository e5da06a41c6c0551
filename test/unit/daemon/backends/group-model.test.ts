import fc from 'fast-check'
import { expect, test } from 'vitest'
import { step as reduce } from '../../../../daemon/backends/scheduler.ts'
import {
  type Backend,
  type BackendLimits,
  type Effect,
  EMPTY_SCHEDULER,
  type Event,
  type Outcome,
} from '../../../../daemon/backends/scheduler-state.ts'
import { inTurn, isInTurn, mayRunTogether } from '../../../../daemon/backends/turn.ts'
import { sampled } from '../../../support/effort.ts'

const NAMES = ['a', 'b', 'c'] as const
const LIMITS = { maxConcurrent: 2, maxWaiting: 4, waitTimeoutMs: 60_000, idleStopMs: 20_000 }

type Request = {
  readonly name: string
  readonly ticket: number
  outcome: Outcome | null
  isGone: boolean
  isDone: boolean
}
type Work =
  | { readonly kind: 'start'; readonly name: string; readonly evict: string[] }
  | Extract<Effect, { kind: 'stop' }>

/** What a backend of a group may say about the others. */
type Modes = Pick<BackendLimits, 'together' | 'priority'>

/** A scheduler on a host of its own: engines that really run or not, requests that really are under way. */
function createWorld(modes: Readonly<Record<string, Modes>> = {}) {
  let time = 0
  let state = EMPTY_SCHEDULER
  const running = new Set<string>()
  const requests: Request[] = []
  const effects: Work[] = []

  function happens(event: Event): void {
    const before = state
    const next = reduce(state, event, time)
    state = next.state
    for (const effect of next.effects) {
      if (effect.kind === 'start') checkTurn(before, effect.name)
      if (effect.kind === 'wake') {
        expect(effect.atMs, 'the timer is the one of the state').toBe(state.wakeAtMs)
        continue
      }
      if (effect.kind === 'stop') effects.push(effect)
      else {
        const { circuit } = backend(effect.name)
        expect(circuit.kind === 'open' ? circuit.untilMs : 0, 'started while it rests').toBeLessThanOrEqual(time)
        effects.push({ ...effect, evict: [...effect.evict] })
      }
    }
    for (const { ticket, outcome } of next.settled) {
      const request = requests[ticket]
      if (request === undefined) throw new Error(`no request ${ticket}`)
      expect(request.outcome, 'settled twice').toBeNull()
      expect(request.isGone, 'settled after it left').toBe(false)
      request.outcome = outcome
    }
  }

  /** A backend gets the turn when no request of a higher priority waits for others. */
  function checkTurn(before: typeof state, name: string): void {
    const started = backend(name)
    if (isInTurn(before, started)) return
    const names = inTurn(state).map((one) => one.name)
    const more = [...state.backends.values()].filter(
      ({ name, waiting, limits }) =>
        !names.includes(name) && waiting.length > 0 && (limits.priority ?? 0) > (started.limits.priority ?? 0),
    )
    expect(more, 'a request of a higher priority waits').toEqual([])
  }

  function backend(name: string): Backend {
    const found = state.backends.get(name)
    if (found === undefined) throw new Error(name)
    return found
  }

  happens({
    kind: 'configured',
    backends: NAMES.map((name) => ({
      name,
      limits: { ...LIMITS, ...modes[name] },
      isChanged: false,
      carried: null,
    })),
  })
  const active = (name: string) =>
    requests.filter((one) => one.name === name && one.outcome?.kind === 'granted' && !one.isDone)

  function stopEngine(name: string): void {
    expect(active(name), `engine ${name} is stopped under its requests`).toEqual([])
    running.delete(name)
  }

  return {
    running,
    requests,
    active,
    backend,
    waiting: () => requests.filter(({ outcome, isGone }) => outcome === null && !isGone),
    enter(name: string): void {
      const request: Request = { name, ticket: requests.length, outcome: null, isGone: false, isDone: false }
      requests.push(request)
      happens({ kind: 'requested', name, ticket: request.ticket, arrivedAtMs: time })
    },
    leave(request: Request): void {
      request.isGone = true
      happens({ kind: 'left', name: request.name, ticket: request.ticket })
    },
    end(request: Request, broke: boolean): void {
      request.isDone = true
      happens({ kind: 'released', name: request.name, broke })
    },
    /** The next step of the work at hand, in order, as the interpreter does it. */
    work(isFine: boolean): void {
      const [effect] = effects
      if (effect === undefined) return
      const { name } = effect
      if (effect.kind === 'stop') {
        effects.shift()
        if (isFine) stopEngine(name)
        happens({ kind: 'stopped', name, isStopped: isFine })
        return
      }
      const other = effect.evict.shift()
      if (other !== undefined && isFine) {
        stopEngine(other)
        happens({ kind: 'evicted', name: other })
        return
      }
      effects.shift()
      if (isFine || other === undefined) running.add(name) // a start that fails may leave it half started
      happens({ kind: isFine ? 'started' : 'failed', name })
    },
    hasWork: () => effects.length > 0,
    stopsAsked: () => NAMES.filter((name) => backend(name).isStopAsked),
    stop: (name: string) => happens({ kind: 'stop-asked', name, hold: false }),
    survey: (name: string) => happens({ kind: 'surveyed', name, isRunning: running.has(name) }),
    pass(ms: number): void {
      const end = time + ms
      for (let due = state.wakeAtMs; due <= end; due = state.wakeAtMs) {
        time = Math.max(time, due)
        happens({ kind: 'woken' })
        expect(state.wakeAtMs, 'wakes without end').toBeGreaterThan(due)
      }
      time = end
      // no request has used it for long: its proxy lets it go
      for (const { name, lastUsedAtMs } of state.backends.values()) {
        const isIdle = active(name).length === 0 && !effects.some((effect) => effect.name === name)
        if (isIdle && time - lastUsedAtMs > LIMITS.idleStopMs) running.delete(name)
      }
      happens({ kind: 'woken' })
    },
  }
}

type World = ReturnType<typeof createWorld>

function check(world: World): void {
  const running = [...world.running].map((name) => world.backend(name))
  const strangers = running.filter((one) => running.some((other) => !mayRunTogether(one, other)))
  expect(strangers, 'engines of one group run at once').toEqual([])
  for (const name of NAMES) {
    expect(world.active(name).length).toBeLessThanOrEqual(LIMITS.maxConcurrent)
    expect(world.backend(name).inFlight, 'leases are counted').toBe(world.active(name).length)
    expect(world.backend(name).waiting.length).toBeLessThanOrEqual(LIMITS.maxWaiting)
  }
}

const mostly = fc.integer({ min: 0, max: 9 }).map((n) => n > 0)
const name = fc.constantFrom(...NAMES)
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('enter' as const), name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), pick: fc.nat() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('end' as const), pick: fc.nat(), broke: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('work' as const), isFine: mostly }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 40_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('survey' as const), name }) },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function take(world: World, one: Step): void {
  switch (one.kind) {
    case 'enter':
      world.enter(one.name)
      break
    case 'leave': {
      const waiting = world.waiting()
      const request = waiting[one.pick % Math.max(waiting.length, 1)]
      if (request !== undefined) world.leave(request)
      break
    }
    case 'end': {
      const active = NAMES.flatMap((each) => world.active(each))
      const request = active[one.pick % Math.max(active.length, 1)]
      if (request !== undefined) world.end(request, one.broke)
      break
    }
    case 'work':
      world.work(one.isFine)
      break
    case 'pass':
      world.pass(one.ms)
      break
    case 'stop':
      world.stop(one.name)
      break
    case 'survey':
      world.survey(one.name)
  }
}

/** Whatever has happened: the promises hold at each step, everyone is served in the end, and no place is lost. */
function live(world: World, steps: readonly Step[]): void {
  for (const one of steps) {
    take(world, one)
    check(world)
  }
  // from here on all goes well: requests end, engines start
  const left = world.waiting()
  const isBusy = () =>
    world.waiting().length > 0 || world.hasWork() || NAMES.some((each) => world.active(each).length > 0)
  for (let round = 0; round < 500 && isBusy(); round++) {
    while (world.hasWork()) world.work(true)
    for (const request of NAMES.flatMap((each) => world.active(each))) world.end(request, false)
    world.pass(50)
    check(world)
  }
  expect(world.waiting()).toEqual([])
  expect(world.stopsAsked(), 'a stop that was asked for never comes').toEqual([])
  const outcomes = left.map(({ outcome }) => outcome?.kind)
  const refused = left.filter(
    ({ outcome }) => outcome?.kind === 'refused' && outcome.reason !== 'timeout' && outcome.reason !== 'down',
  )
  expect(refused, String(outcomes)).toEqual([])
  // and no place is lost: whatever happened before, as many as may are let in
  for (const each of NAMES) {
    world.pass(700_000)
    for (let i = 0; i < 3; i++) world.enter(each)
    for (let i = 0; i < 10; i++) {
      world.work(true)
      world.pass(10)
    }
    expect(
      world.active(each).length,
      `places at ${each}: ${JSON.stringify(world.requests.slice(-3).map(({ outcome }) => outcome))}`,
    ).toBe(LIMITS.maxConcurrent)
    for (let i = 0; i < 3; i++) for (const request of world.active(each)) world.end(request, false)
  }
}

test('never two engines of a group at once, never one stopped under its requests, nobody is forgotten', () => {
  const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => live(createWorld(), steps))
  fc.assert(property, { numRuns: sampled(400, 1_000) })
}, 60_000)

const modes = fc.record(
  { together: fc.constantFrom('pair', 'other'), priority: fc.integer({ min: 0, max: 3 }) },
  { requiredKeys: [] },
)

test('D3: the same with sets that run together, and the highest priority first', () => {
  const property = fc.property(fc.array(step, { maxLength: 80 }), modes, modes, modes, (steps, a, b, c) =>
    live(createWorld({ a, b, c }), steps),
  )
  fc.assert(property, { numRuns: sampled(400, 1_000) })
}, 60_000)

test('D3: members of a set run at the same time, and stop for others together', () => {
  const world = createWorld({ a: { together: 'pair' }, b: { together: 'pair' } })
  for (const name of NAMES) world.enter(name)
  while (world.hasWork()) world.work(true)
  expect([...world.running]).toEqual(['a', 'b'])
  expect(NAMES.map((name) => world.active(name).length)).toEqual([1, 1, 0])
  world.pass(40_000)
  expect(world.hasWork(), 'no request is cut for another').toBe(false)
  for (const name of ['a', 'b']) for (const request of world.active(name)) world.end(request, false)
  while (world.hasWork()) world.work(true)
  expect([...world.running]).toEqual(['c'])
  expect(world.active('c')).toHaveLength(1)
})

test('D3: a higher priority is next at once, a lower one when nothing else is wanted', () => {
  const world = createWorld({ a: { priority: 1 } })
  world.enter('b')
  while (world.hasWork()) world.work(true)
  world.enter('a')
  world.enter('b')
  for (const request of world.active('b')) world.end(request, false)
  while (world.hasWork()) world.work(true)
  expect([...world.running]).toEqual(['a'])
  for (let i = 0; i < 5; i++) {
    world.enter('a')
    world.pass(31_000)
    for (const request of world.active('a').slice(0, 1)) world.end(request, false)
    expect([...world.running], 'b waits').toEqual(['a'])
    if (world.waiting().length === 0) world.enter('b')
  }
  while (world.active('a').length > 0) for (const request of world.active('a')) world.end(request, false)
  world.pass(1_000)
  while (world.hasWork()) world.work(true)
  expect([...world.running]).toEqual(['b'])
})
