import { expect, test } from 'vitest'
import { createGroup } from '../../../../daemon/backends/group.ts'
import { createMember, type MemberLimits, type Outcome } from '../../../../daemon/backends/member.ts'

const LIMITS: MemberLimits = { maxConcurrent: 1, maxWaiting: 10, waitTimeoutMs: 60_000, idleStopMs: null }

/** A group whose clock and engines the test moves. */
function world(names: readonly string[], limits: Partial<MemberLimits> = {}) {
  let time = 0
  const asked: string[] = []
  const members = new Map(names.map((name) => [name, createMember(name, { ...LIMITS, ...limits })]))
  const group = createGroup(
    {
      bring: (name, others) => asked.push(`start ${[name, ...others].join(' without ')}`),
      halt: (name) => asked.push(`stop ${name}`),
    },
    () => time,
  )
  const member = (name: string) => {
    const found = members.get(name)
    if (found === undefined) throw new Error(name)
    return found
  }
  group.apply([...members.values()])
  return {
    group,
    member,
    /** What was asked for since the last look. */
    asked: () => asked.splice(0),
    pass(ms: number): void {
      time += ms
      group.tick()
    },
    enter(name: string) {
      const request: { outcome: Outcome | null } = { outcome: null }
      const settle = (outcome: Outcome) => {
        request.outcome = outcome
      }
      const waiter = { backend: name, arrivedAt: time, settle }
      group.enter(member(name), waiter)
      return {
        kind: () => request.outcome?.kind ?? 'waiting',
        outcome: () => request.outcome,
        leave: () => group.leave(member(name), waiter),
      }
    },
  }
}

test('requests are let through in the order they came, one for each place that comes free', () => {
  const { group, member, enter } = world(['a'])
  const requests = [enter('a'), enter('a'), enter('a')]
  group.started('a')
  expect(requests.map(({ kind }) => kind())).toEqual(['granted', 'waiting', 'waiting'])
  group.release(member('a'), false)
  expect(requests.map(({ kind }) => kind())).toEqual(['granted', 'granted', 'waiting'])
})

test('the time of a start does not count as waiting, the time after it does', () => {
  const { group, enter, pass } = world(['a'], { waitTimeoutMs: 1_000 })
  const [first, second] = [enter('a'), enter('a')]
  pass(500_000)
  expect(second.kind()).toBe('waiting')
  group.started('a')
  expect(first.outcome()).toEqual({ kind: 'granted', coldStart: true })
  pass(999)
  expect(second.kind()).toBe('waiting')
  pass(1)
  expect(second.outcome()).toMatchObject({ kind: 'refused', reason: 'timeout' })
})

test('a failed start refuses everybody, and each further one makes it rest longer', () => {
  const { group, member, enter, pass } = world(['a'])
  const rests = Array.from({ length: 12 }, () => {
    const request = enter('a')
    group.failed('a')
    expect(group.stateOf(member('a'))).toBe('quarantined')
    const outcome = request.outcome()
    const restMs = outcome?.kind === 'refused' ? outcome.retryAfterMs : 0
    expect(enter('a').outcome()).toMatchObject({ kind: 'refused', reason: 'down' })
    pass(restMs)
    expect(group.stateOf(member('a'))).toBe('quarantined') // nothing has shown yet that it starts
    return restMs
  })
  expect(rests.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000])
  expect(rests.at(-1)).toBe(600_000)
})

test('allow lifts a quarantine', () => {
  const { group, member, enter, asked } = world(['a'])
  enter('a')
  group.failed('a')
  asked()
  group.allow(member('a'))
  expect(enter('a').kind()).toBe('waiting')
  expect(asked()).toEqual(['start a'])
})

test('an engine that starts and breaks three times in a minute is quarantined, one that breaks once a day is not', () => {
  const breaking = (pauseMs: number) => {
    const { group, member, enter, pass } = world(['a'])
    enter('a')
    pass(5_000)
    group.started('a')
    return Array.from({ length: 3 }, () => {
      pass(pauseMs)
      group.release(member('a'), true)
      enter('a')
      pass(5_000)
      return group.started('a')
    })
  }
  expect(breaking(1_000)).toEqual([true, true, false])
  expect(breaking(86_400_000)).toEqual([true, true, true])
})

test('a connection that breaks while the engine goes on is no crash', () => {
  const { group, member, enter, asked } = world(['a'])
  enter('a')
  group.started('a')
  for (let i = 0; i < 10; i++) {
    group.release(member('a'), true)
    const request = enter('a')
    expect(asked().length).toBeGreaterThan(0)
    expect(group.started('a')).toBe(true)
    expect(request.outcome()).toEqual({ kind: 'granted', coldStart: false })
  }
})

test('one that may have stopped by itself is looked at before a request is sent', () => {
  const { group, member, enter, asked, pass } = world(['a'], { idleStopMs: 10_000 })
  enter('a')
  group.started('a')
  group.release(member('a'), false)
  asked()
  pass(9_999)
  enter('a')
  expect(asked()).toEqual([])
  group.release(member('a'), false)
  pass(10_000)
  expect(group.stateOf(member('a'))).toBe('cold')
  expect(enter('a').kind()).toBe('waiting')
  expect(asked()).toEqual(['start a'])
})

test('a busy member keeps its turn as long as its start took, then drains, then makes room', () => {
  const { group, member, enter, asked, pass } = world(['a', 'b'], { maxConcurrent: 9 })
  enter('a')
  pass(5_000)
  group.started('a')
  const other = enter('b')
  asked()
  pass(4_900)
  expect(enter('a').kind()).toBe('granted')
  pass(100)
  expect(group.stateOf(member('a'))).toBe('draining')
  const late = enter('a')
  expect(late.kind()).toBe('waiting')
  group.release(member('a'), false)
  expect(asked()).toEqual([])
  group.release(member('a'), false)
  expect(asked()).toEqual(['start b without a'])
  group.stopped('a')
  group.started('b')
  expect(other.kind()).toBe('granted')
  expect(late.kind()).toBe('waiting')
})

test('a member that nobody uses makes room after a second', () => {
  const { group, member, enter, asked, pass } = world(['a', 'b'])
  enter('a')
  pass(20_000)
  group.started('a')
  group.release(member('a'), false)
  enter('b')
  asked()
  pass(999)
  expect(asked()).toEqual([])
  pass(1)
  expect(asked()).toEqual(['start b without a'])
})

test('when those who wait for another give up, the running one goes on', () => {
  const { group, member, enter, pass } = world(['a', 'b'])
  enter('a')
  group.started('a')
  const other = enter('b')
  pass(2_000)
  const own = enter('a')
  expect(group.stateOf(member('a'))).toBe('draining')
  other.leave()
  expect(group.stateOf(member('a'))).toBe('ready')
  group.release(member('a'), false)
  expect(own.kind()).toBe('granted')
})

test('an engine that broke and does not start again is not stopped while a request of it goes on', () => {
  const { group, member, enter, asked, pass } = world(['a', 'b'], { maxConcurrent: 2 })
  enter('a')
  enter('a')
  group.started('a')
  group.release(member('a'), true)
  enter('a')
  asked()
  group.failed('a')
  pass(60)
  enter('b')
  pass(5_000)
  expect(asked()).toEqual([])
  group.release(member('a'), false)
  expect(asked()).toEqual(['start b without a'])
})

test('a daemon that starts takes over what runs, and stops what runs too many', () => {
  const { group, member, enter, asked } = world(['a', 'b', 'c'])
  group.surveyed('a', true)
  group.surveyed('b', true)
  group.surveyed('c', false)
  expect(asked()).toEqual(['stop b'])
  expect(enter('a').kind()).toBe('granted')
  expect(group.stateOf(member('c'))).toBe('cold')
})

test('stopped by its operator, it finishes its requests and refuses others until it is allowed again', () => {
  const { group, member, enter, asked } = world(['a'])
  enter('a')
  group.started('a')
  asked()
  group.stop(member('a'), true)
  expect(enter('a').outcome()).toMatchObject({ kind: 'refused', reason: 'stopped' })
  expect(asked()).toEqual([])
  group.release(member('a'), false)
  expect(asked()).toEqual(['stop a'])
  group.halted('a', true)
  expect(group.stateOf(member('a'))).toBe('stopped')
  group.allow(member('a'))
  enter('a')
  expect(asked()).toEqual(['start a'])
})

test('requests for a backend that is taken out of the configuration ask again', () => {
  const { group, member, enter } = world(['a', 'b'])
  enter('a')
  const request = enter('b')
  group.apply([member('a')])
  expect(request.kind()).toBe('moved')
})
