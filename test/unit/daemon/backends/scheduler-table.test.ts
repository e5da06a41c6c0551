import { expect, test } from 'vitest'
import { step } from '../../../../daemon/backends/scheduler.ts'
import {
  type Active,
  type Backend,
  type Event,
  newBackend,
  type SchedulerState,
  type Step,
} from '../../../../daemon/backends/scheduler-state.ts'

// Each event in each state of the active backend "a"; "b" is another one of its group.

const NOW = 100_000
const LIMITS = { maxConcurrent: 1, maxWaiting: 2, waitTimeoutMs: 60_000, idleStopMs: null }
const USED: Partial<Backend> = { engine: 'running', readyAtMs: 99_000, lastUsedAtMs: NOW, lastStartMs: 5_000 }

function stateWith(active: Active, a: Partial<Backend>, b: Partial<Backend>): SchedulerState {
  const backends = [
    { ...newBackend('a', LIMITS), ...a },
    { ...newBackend('b', LIMITS), ...b },
  ]
  return {
    backends: new Map(backends.map((one) => [one.name, one])),
    active,
    wakeAtMs: Number.POSITIVE_INFINITY,
  }
}

const waiter = { ticket: 1, arrivedAtMs: NOW - 10 }
const STATES = {
  none: stateWith({ kind: 'none' }, { engine: 'stopped' }, {}),
  starting: stateWith({ kind: 'starting', name: 'a', sinceMs: NOW - 5_000 }, { waiting: [waiter] }, {}),
  ready: stateWith({ kind: 'ready', name: 'a' }, { ...USED, inFlight: 1 }, {}),
  draining: stateWith({ kind: 'draining', name: 'a' }, { ...USED, inFlight: 1 }, { waiting: [waiter] }),
  stopping: stateWith({ kind: 'stopping', name: 'a' }, { ...USED, isStopAsked: true }, {}),
} satisfies Record<Active['kind'], SchedulerState>

const EVENTS = {
  requested: { kind: 'requested', name: 'a', ticket: 9, arrivedAtMs: NOW },
  'requested of b': { kind: 'requested', name: 'b', ticket: 9, arrivedAtMs: NOW },
  left: { kind: 'left', name: 'a', ticket: 1 },
  'left b': { kind: 'left', name: 'b', ticket: 1 },
  released: { kind: 'released', name: 'a', broke: false },
  'released, broken': { kind: 'released', name: 'a', broke: true },
  evicted: { kind: 'evicted', name: 'a' },
  'evicted b': { kind: 'evicted', name: 'b' },
  started: { kind: 'started', name: 'a' },
  failed: { kind: 'failed', name: 'a' },
  stopped: { kind: 'stopped', name: 'a', isStopped: true },
  'not stopped': { kind: 'stopped', name: 'a', isStopped: false },
  'surveyed b': { kind: 'surveyed', name: 'b', isRunning: true },
  'start-asked': { kind: 'start-asked', name: 'a' },
  'stop-asked': { kind: 'stop-asked', name: 'a', hold: false },
  'stop-asked, hold': { kind: 'stop-asked', name: 'a', hold: true },
  'configured without a': {
    kind: 'configured',
    backends: [{ name: 'b', limits: LIMITS, isChanged: false, carried: null }],
  },
  forgiven: { kind: 'forgiven' },
  woken: { kind: 'woken' },
  'about another': { kind: 'released', name: 'x', broke: true },
} satisfies Record<string, Event>

/** What an observer sees: who is active then, what is to be done, who is told what. */
function seen({ state: { active }, effects, settled }: Step): string {
  const who = active.kind === 'none' ? 'none' : `${active.kind} ${active.name}`
  const done = effects.flatMap((effect) => {
    if (effect.kind === 'start') return [`start ${[effect.name, ...effect.evict].join(' without ')}`]
    return effect.kind === 'stop' ? [`stop ${effect.name}`] : []
  })
  const told = settled.map(({ ticket, outcome }) => {
    return `${ticket} ${outcome.kind}${outcome.kind === 'refused' ? ` ${outcome.reason}` : ''}`
  })
  return [who, ...done, ...told].join('; ')
}

/** none, starting, ready, draining, stopping; null: the event cannot come then, as no lease is out. */
type Row = readonly [string | null, string | null, string | null, string | null, string | null]

const EXPECTED: Readonly<Record<keyof typeof EVENTS, Row>> = {
  requested: ['starting a; start a without b', 'starting a', 'ready a', 'draining a', 'stopping a'],
  'requested of b': ['starting b; start b', 'starting a', 'ready a', 'draining a', 'stopping a'],
  left: ['none', 'starting a', 'ready a', 'draining a', 'stopping a'],
  'left b': ['none', 'starting a', 'ready a', 'ready a', 'stopping a'],
  released: [null, null, 'ready a', 'starting b; start b without a', null],
  'released, broken': [null, null, 'ready a', 'starting b; start b without a', null],
  evicted: ['none', 'starting a', 'ready a', 'draining a', 'stopping a'],
  'evicted b': ['none', 'starting a', 'ready a', 'draining a', 'stopping a'],
  started: ['none', 'ready a; 1 granted', 'ready a', 'draining a', 'stopping a'],
  failed: ['none', 'none; 1 refused down', 'ready a', 'draining a', 'stopping a'],
  stopped: ['none', 'starting a', 'ready a', 'draining a', 'none'],
  'not stopped': ['none', 'starting a', 'ready a', 'draining a', 'none'],
  'surveyed b': ['ready b', 'starting a; stop b', 'ready a; stop b', 'draining a; stop b', 'stopping a; stop b'],
  'start-asked': ['none', 'starting a', 'ready a', 'draining a', 'stopping a'],
  'stop-asked': ['none; stop a', 'starting a', 'draining a', 'draining a', 'stopping a'],
  'stop-asked, hold': ['none; stop a', 'starting a; 1 refused stopped', 'draining a', 'draining a', 'stopping a'],
  'configured without a': ['none', 'none; 1 moved', 'none', 'starting b; start b', 'none'],
  forgiven: ['none', 'starting a', 'ready a', 'draining a', 'stopping a'],
  woken: ['none', 'starting a', 'ready a', 'draining a', 'stopping a'],
  'about another': ['none', 'starting a', 'ready a', 'draining a', 'stopping a'],
}

const rows = Object.entries(EXPECTED).flatMap(([event, row]) =>
  Object.keys(STATES).map((state, column) => ({ event, state, expected: row[column] ?? null })),
)

test.each(rows.filter(({ expected }) => expected !== null))('$event in $state: $expected', (row) => {
  const event = EVENTS[row.event as keyof typeof EVENTS]
  expect(seen(step(STATES[row.state as keyof typeof STATES], event, NOW))).toBe(row.expected)
})

test('every kind of event is in the table', () => {
  const kinds: Record<Event['kind'], true> = {
    configured: true,
    requested: true,
    left: true,
    released: true,
    evicted: true,
    started: true,
    failed: true,
    stopped: true,
    surveyed: true,
    'start-asked': true,
    'stop-asked': true,
    forgiven: true,
    woken: true,
  }
  expect(new Set(Object.values(EVENTS).map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)))
})

test('an event changes nothing that was there before', () => {
  for (const state of Object.values(STATES)) {
    const before = structuredClone(state)
    for (const event of Object.values(EVENTS)) step(state, event, NOW)
    expect(state).toEqual(before)
  }
})

test.each([
  { name: 'held by its operator', a: { isHeld: true }, expected: 'none; 9 refused stopped' },
  {
    name: 'with its circuit open',
    a: { circuit: { kind: 'open', failures: 1, broke: false, untilMs: NOW + 1 } },
    expected: 'none; 9 refused down',
  },
  {
    name: 'with its circuit half-open',
    a: { circuit: { kind: 'open', failures: 1, broke: false, untilMs: NOW } },
    expected: 'starting a; start a without b',
  },
] satisfies { name: string; a: Partial<Backend>; expected: string }[])('a request for one $name', ({ a, expected }) => {
  expect(seen(step(stateWith({ kind: 'none' }, a, {}), EVENTS.requested, NOW))).toBe(expected)
})

test('a request for one with as many waiting as may is refused', () => {
  const full = [waiter, { ticket: 2, arrivedAtMs: NOW }]
  const state = stateWith({ kind: 'ready', name: 'a' }, { ...USED, inFlight: 1, waiting: full }, {})
  expect(seen(step(state, EVENTS.requested, NOW))).toBe('ready a; 9 refused full')
})

test('a backend that comes over from another group brings its leases, and is not evicted under them', () => {
  const carried = { ...newBackend('a', LIMITS), ...USED, inFlight: 1 }
  const setups = [
    { name: 'a', limits: LIMITS, isChanged: false, carried },
    { name: 'b', limits: LIMITS, isChanged: false, carried: null },
  ]
  const { state } = step(stateWith({ kind: 'none' }, {}, {}), { kind: 'configured', backends: [] }, NOW)
  const moved = step(state, { kind: 'configured', backends: setups }, NOW)
  const asked = step(moved.state, EVENTS['requested of b'], NOW)
  expect(asked.effects.filter(({ kind }) => kind !== 'wake')).toEqual([])
  const released = step(asked.state, EVENTS.released, NOW + 40_000)
  expect(seen(released)).toBe('starting b; start b without a')
})
