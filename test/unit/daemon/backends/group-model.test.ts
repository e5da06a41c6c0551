import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createGroup } from '../../../../daemon/backends/group.ts'
import { createMember, type Member, type Outcome, type Waiter } from '../../../../daemon/backends/member.ts'

const NAMES = ['a', 'b', 'c'] as const
const LIMITS = { maxConcurrent: 2, maxWaiting: 4, waitTimeoutMs: 60_000, idleStopMs: 20_000 }

type Request = {
  readonly member: Member
  readonly waiter: Waiter
  outcome: Outcome | null
  isGone: boolean
  isDone: boolean
}
type Effect =
  | { readonly kind: 'bring'; readonly name: string; readonly others: string[] }
  | { readonly kind: 'halt'; readonly name: string }

/** A group on a host of its own: engines that really run or not, requests that really are under way. */
function createWorld() {
  let time = 0
  const members = new Map(NAMES.map((name) => [name as string, createMember(name, LIMITS)]))
  const running = new Set<string>()
  const requests: Request[] = []
  const effects: Effect[] = []
  const group = createGroup(
    {
      bring: (name, others) => {
        expect(members.get(name)?.restUntil, 'started while it rests').toBeLessThanOrEqual(time)
        effects.push({ kind: 'bring', name, others: [...others] })
      },
      halt: (name) => effects.push({ kind: 'halt', name }),
    },
    () => time,
  )
  group.apply([...members.values()])
  const active = (name: string) =>
    requests.filter(({ member, outcome, isDone }) => member.name === name && outcome?.kind === 'granted' && !isDone)

  function stopEngine(name: string): void {
    expect(active(name), `engine ${name} is stopped under its requests`).toEqual([])
    running.delete(name)
  }

  return {
    running,
    requests,
    group,
    active,
    waiting: () => requests.filter(({ outcome, isGone }) => outcome === null && !isGone),
    enter(name: string): void {
      const member = members.get(name) as Member
      const request: Request = {
        member,
        outcome: null,
        isGone: false,
        isDone: false,
        waiter: {
          backend: name,
          arrivedAt: time,
          settle: (outcome) => {
            expect(request.outcome, 'settled twice').toBeNull()
            expect(request.isGone, 'settled after it left').toBe(false)
            request.outcome = outcome
          },
        },
      }
      requests.push(request)
      group.enter(member, request.waiter)
    },
    leave(request: Request): void {
      request.isGone = true
      group.leave(request.member, request.waiter)
    },
    end(request: Request, broke: boolean): void {
      request.isDone = true
      group.release(request.member, broke)
    },
    /** The next step of the work at hand, in order, as the runner does it. */
    work(isFine: boolean): void {
      const [effect] = effects
      if (effect === undefined) return
      if (effect.kind === 'halt') {
        effects.shift()
        if (isFine) stopEngine(effect.name)
        group.halted(effect.name, isFine)
        return
      }
      const other = effect.others.shift()
      if (other !== undefined && isFine) {
        stopEngine(other)
        group.stopped(other)
        return
      }
      effects.shift()
      if (isFine || other === undefined) running.add(effect.name) // a start that fails may leave it half started
      if (isFine) group.started(effect.name)
      else group.failed(effect.name)
    },
    hasWork: () => effects.length > 0,
    stopsAsked: () => NAMES.filter((name) => members.get(name)?.stopAsked),
    stop: (name: string) => group.stop(members.get(name) as Member, false),
    survey: (name: string) => group.surveyed(name, running.has(name)),
    pass(ms: number): void {
      const end = time + ms
      for (let due = group.dueAt(); due <= end; due = group.dueAt()) {
        time = Math.max(time, due)
        group.tick()
        expect(group.dueAt(), 'ticks without end').toBeGreaterThan(due)
      }
      time = end
      // nobody has used it for long: its proxy lets it go
      for (const member of members.values()) {
        if (
          time - member.lastUsedAt > LIMITS.idleStopMs &&
          active(member.name).length === 0 &&
          !hasWorkFor(member.name)
        )
          running.delete(member.name)
      }
      group.tick()
    },
  }

  function hasWorkFor(name: string): boolean {
    return effects.some((effect) => effect.name === name)
  }
}

type World = ReturnType<typeof createWorld>

function check(world: World): void {
  expect(world.running.size, 'engines of one group run at once').toBeLessThanOrEqual(1)
  for (const name of NAMES) expect(world.active(name).length).toBeLessThanOrEqual(LIMITS.maxConcurrent)
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
