import { expect, test } from 'vitest'
import { step } from '../../../../daemon/backends/scheduler.ts'
import {
  type Backend,
  type BackendLimits,
  EMPTY_SCHEDULER,
  type Event,
  type Outcome,
} from '../../../../daemon/backends/scheduler-state.ts'
import { stateOf } from '../../../../daemon/backends/status.ts'

const LIMITS: BackendLimits = { maxConcurrent: 1, maxWaiting: 10, waitTimeoutMs: 60_000, idleStopMs: null }

/** A scheduler whose time and engines the test moves. */
function world(names: readonly string[], limits: Partial<BackendLimits> = {}) {
  let time = 0
  let state = EMPTY_SCHEDULER
  const asked: string[] = []
  const outcomes: Outcome[] = []
  let tickets = 0
  const happens = (event: Event): void => {
    const next = step(state, event, time)
    state = next.state
    for (const effect of next.effects) {
      if (effect.kind === 'start') asked.push(`start ${[effect.name, ...effect.evict].join(' without ')}`)
      else if (effect.kind === 'stop') asked.push(`stop ${effect.name}`)
    }
    for (const { ticket, outcome } of next.settled) outcomes[ticket] = outcome
  }
  const configure = (present: readonly string[], change: Partial<BackendLimits> = {}, isChanged = false) =>
    happens({
      kind: 'configured',
      backends: present.map((name) => ({
        name,
        limits: { ...LIMITS, ...limits, ...change },
        isChanged,
        carried: null,
      })),
    })
  configure(names)
  return {
    happens,
    configure,
    stateOf: (name: string) => stateOf(state, name, time),
    backend: (name: string): Backend => {
      const found = state.backends.get(name)
      if (found === undefined) throw new Error(name)
      return found
    },
    /** What was asked for since the last look. */
    asked: () => asked.splice(0),
    pass(ms: number): void {
      time += ms
      happens({ kind: 'woken' })
    },
    started(name: string): boolean {
      happens({ kind: 'started', name })
      return state.backends.get(name)?.circuit.kind === 'closed'
    },
    failed: (name: string) => happens({ kind: 'failed', name }),
    release: (name: string, broke: boolean) => happens({ kind: 'released', name, broke }),
    enter(name: string) {
      tickets += 1
      const ticket = tickets
      happens({ kind: 'requested', name, ticket, arrivedAtMs: time })
      return {
        kind: () => outcomes[ticket]?.kind ?? 'waiting',
        outcome: () => outcomes[ticket] ?? null,
        leave: () => happens({ kind: 'left', name, ticket }),
      }
    },
  }
}

test('requests are let through in the order they came, one for each place that comes free', () => {
  const { started, release, enter } = world(['a'])
  const requests = [enter('a'), enter('a'), enter('a')]
  started('a')
  expect(requests.map(({ kind }) => kind())).toEqual(['granted', 'waiting', 'waiting'])
  release('a', false)
  expect(requests.map(({ kind }) => kind())).toEqual(['granted', 'granted', 'waiting'])
})

test('the time of a start does not count as waiting, the time after it does', () => {
  const { pass, started, enter } = world(['a'], { waitTimeoutMs: 1_000 })
  const [first, second] = [enter('a'), enter('a')]
  pass(500_000)
  expect(second.kind()).toBe('waiting')
  started('a')
  expect(first.outcome()).toEqual({ kind: 'granted', coldStart: true })
  pass(999)
  expect(second.kind()).toBe('waiting')
  pass(1)
  expect(second.outcome()).toMatchObject({ kind: 'refused', reason: 'timeout' })
})

test('a failed start refuses everybody, and each further one makes it rest longer', () => {
  const { stateOf, pass, failed, enter } = world(['a'])
  const rests = Array.from({ length: 12 }, () => {
    const request = enter('a')
    failed('a')
    expect(stateOf('a')).toBe('quarantined')
    const outcome = request.outcome()
    const restMs = outcome?.kind === 'refused' ? outcome.retryAfterMs : 0
    expect(enter('a').outcome()).toMatchObject({ kind: 'refused', reason: 'down' })
    pass(restMs)
    expect(stateOf('a')).toBe('quarantined') // nothing has shown yet that it starts
    return restMs
  })
  expect(rests.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000])
  expect(rests.at(-1)).toBe(600_000)
})

test('allow lifts a quarantine', () => {
  const { happens, asked, failed, enter } = world(['a'])
  enter('a')
  failed('a')
  asked()
  happens({ kind: 'start-asked', name: 'a' })
  expect(enter('a').kind()).toBe('waiting')
  expect(asked()).toEqual(['start a'])
})

test('an engine that starts and breaks three times in a minute is quarantined, one that breaks once a day is not', () => {
  const breaking = (pauseMs: number) => {
    const { pass, started, release, enter } = world(['a'])
    enter('a')
    pass(5_000)
    started('a')
    return Array.from({ length: 3 }, () => {
      pass(pauseMs)
      release('a', true)
      enter('a')
      pass(5_000)
      return started('a')
    })
  }
  expect(breaking(1_000)).toEqual([true, true, false])
  expect(breaking(86_400_000)).toEqual([true, true, true])
})

test('a connection that breaks while the engine goes on is no crash', () => {
  const { asked, started, release, enter } = world(['a'])
  enter('a')
  started('a')
  for (let i = 0; i < 10; i++) {
    release('a', true)
    const request = enter('a')
    expect(asked().length).toBeGreaterThan(0)
    expect(started('a')).toBe(true)
    expect(request.outcome()).toEqual({ kind: 'granted', coldStart: false })
  }
})

test('one that may have stopped by itself is looked at before a request is sent', () => {
  const { stateOf, asked, pass, started, release, enter } = world(['a'], { idleStopMs: 10_000 })
  enter('a')
  started('a')
  release('a', false)
  asked()
  pass(9_999)
  enter('a')
  expect(asked()).toEqual([])
  release('a', false)
  pass(10_000)
  expect(stateOf('a')).toBe('cold')
  expect(enter('a').kind()).toBe('waiting')
  expect(asked()).toEqual(['start a'])
})

test('a busy member keeps its turn as long as its start took, then drains, then makes room', () => {
  const { happens, stateOf, asked, pass, started, release, enter } = world(['a', 'b'], { maxConcurrent: 9 })
  enter('a')
  pass(5_000)
  started('a')
  const other = enter('b')
  asked()
  pass(4_900)
  expect(enter('a').kind()).toBe('granted')
  pass(100)
  expect(stateOf('a')).toBe('draining')
  const late = enter('a')
  expect(late.kind()).toBe('waiting')
  release('a', false)
  expect(asked()).toEqual([])
  release('a', false)
  expect(asked()).toEqual(['start b without a'])
  happens({ kind: 'evicted', name: 'a' })
  started('b')
  expect(other.kind()).toBe('granted')
  expect(late.kind()).toBe('waiting')
})

test('a member that nobody uses makes room after a second', () => {
  const { asked, pass, started, release, enter } = world(['a', 'b'])
  enter('a')
  pass(20_000)
  started('a')
  release('a', false)
  enter('b')
  asked()
  pass(999)
  expect(asked()).toEqual([])
  pass(1)
  expect(asked()).toEqual(['start b without a'])
})

test('when those who wait for another give up, the running one goes on', () => {
  const { stateOf, pass, started, release, enter } = world(['a', 'b'])
  enter('a')
  started('a')
  const other = enter('b')
  pass(2_000)
  const own = enter('a')
  expect(stateOf('a')).toBe('draining')
  other.leave()
  expect(stateOf('a')).toBe('ready')
  release('a', false)
  expect(own.kind()).toBe('granted')
})

test('an engine that broke and does not start again is not stopped while a request of it goes on', () => {
  const { asked, pass, started, failed, release, enter } = world(['a', 'b'], { maxConcurrent: 2 })
  enter('a')
  enter('a')
  started('a')
  release('a', true)
  enter('a')
  asked()
  failed('a')
  pass(60)
  enter('b')
  pass(5_000)
  expect(asked()).toEqual([])
  release('a', false)
  expect(asked()).toEqual(['start b without a'])
})

test('a daemon that starts takes over what runs, and stops what runs too many', () => {
  const { happens, stateOf, asked, enter } = world(['a', 'b', 'c'])
  happens({ kind: 'surveyed', name: 'a', isRunning: true })
  happens({ kind: 'surveyed', name: 'b', isRunning: true })
  happens({ kind: 'surveyed', name: 'c', isRunning: false })
  expect(asked()).toEqual(['stop b'])
  expect(enter('a').kind()).toBe('granted')
  expect(stateOf('c')).toBe('cold')
})

test('stopped by its operator, it finishes its requests and refuses others until it is allowed again', () => {
  const { happens, stateOf, asked, started, release, enter } = world(['a'])
  enter('a')
  started('a')
  asked()
  happens({ kind: 'stop-asked', name: 'a', hold: true })
  expect(enter('a').outcome()).toMatchObject({ kind: 'refused', reason: 'stopped' })
  expect(asked()).toEqual([])
  release('a', false)
  expect(asked()).toEqual(['stop a'])
  happens({ kind: 'stopped', name: 'a', isStopped: true })
  expect(stateOf('a')).toBe('stopped')
  happens({ kind: 'start-asked', name: 'a' })
  enter('a')
  expect(asked()).toEqual(['start a'])
})

test('requests for a backend that is taken out of the configuration ask again', () => {
  const { configure, enter } = world(['a', 'b'])
  enter('a')
  const request = enter('b')
  configure(['a'])
  expect(request.kind()).toBe('moved')
})
