import fc from 'fast-check'
import { expect, test } from 'vitest'
import { step as reduce } from '../../../../daemon/backends/scheduler.ts'
import {
  type Backend,
  type Effect,
  EMPTY_SCHEDULER,
  type Event,
  type Outcome,
} from '../../../../daemon/backends/scheduler-state.ts'

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

/** A scheduler on a host of its own: engines that really run or not, requests that really are under way. */
function createWorld() {
  let time = 0
  let state = EMPTY_SCHEDULER
  const running = new Set<string>()
  const requests: Request[] = []
  const effects: Work[] = []

  function happens(event: Event): void {
    const next = reduce(state, event, time)
    state = next.state
    for (const effect of next.effects) {
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

  function backend(name: string): Backend {
    const found = state.backends.get(name)
    if (found === undefined) throw new Error(name)
    return found
  }

  happens({
    kind: 'configured',
    backends: NAMES.map((name) => ({ name, limits: LIMITS, isChanged: false, carried: null })),
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
  expect(world.running.size, 'engines of one group run at once').toBeLessThanOrEqual(1)
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

test('never two engines of a group at once, never one stopped under its requests, nobody is forgotten', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = createWorld()
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
    }),
    { numRuns: 2_000 },
  )
})
