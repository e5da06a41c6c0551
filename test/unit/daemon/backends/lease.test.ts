import { afterEach, expect, test } from 'vitest'
import type { AgentClient } from '../../../../daemon/backends/agent-client.ts'
import { type Backends, createBackends } from '../../../../daemon/backends/backends.ts'
import type { Lease } from '../../../../daemon/backends/lease.ts'
import { type BackendConfig, configSchema } from '../../../../schemas/config/config.ts'

const engine: { probe: () => Promise<number> } = { probe: async () => 200 }
let backends: Backends
afterEach(() => backends.close())

const unit = { active: 'inactive', stops: 0 }
const AGENT = {
  start: async () => {},
  stop: async () => {
    unit.stops += 1
  },
  status: async () => [{ active: unit.active }],
  logs: async function* () {},
} as unknown as AgentClient

function start(configs: Given): Backends {
  backends = createBackends({
    probe: () => engine.probe(),
    keysOf: () => [],
    agentAt: () => AGENT,
    log: () => {},
    now: () => performance.now(),
  })
  backends.apply(configured(configs))
  return backends
}

type Given = Readonly<Record<string, Readonly<Record<string, unknown>>>>

function configured(given: Given): Readonly<Record<string, BackendConfig>> {
  const common = { provider: 'custom', base_url: 'http://localhost/v1', socket: '/run/e.sock', agent: '/run/a.sock' }
  const full = Object.entries(given).map(([name, config]) => [name, { ...common, ...config }])
  return configSchema.parse({ backends: Object.fromEntries(full) }).backends
}

/** A client that the test can let go. */
function caller() {
  let cancel = () => {}
  return {
    onGone: (callback: () => void) => {
      cancel = callback
    },
    leave: () => cancel(),
  }
}

function isWaiting(lease: Lease | Promise<Lease>): lease is Promise<Lease> {
  return lease instanceof Promise
}

async function granted(lease: Lease | Promise<Lease>) {
  const settled = await lease
  if (settled.kind !== 'granted') throw new Error(settled.kind)
  return settled
}

test('a lease at an upstream that is no backend is there at once, the same one for every request', () => {
  const { turnAt } = start({ a: {} })
  const lease = turnAt('elsewhere', caller())
  expect(lease).toMatchObject({ kind: 'granted', wait: null, mayRestart: false })
  expect(turnAt('another', caller())).toBe(lease)
})

test('a lease at a backend that runs is there at once, the first waits for its start', async () => {
  const { turnAt } = start({ a: {} })
  const first = turnAt('a', caller())
  expect(isWaiting(first)).toBe(true)
  expect((await granted(first)).wait).toMatchObject({ kind: 'queue' })
  const second = turnAt('a', caller())
  expect(second).toMatchObject({ kind: 'granted', wait: null, mayRestart: true })
})

test('a lease that is released twice gives back one place', async () => {
  const { turnAt, status } = start({ a: { max_concurrent: 2 } })
  const [first, second] = [await granted(turnAt('a', caller())), await granted(turnAt('a', caller()))]
  first.release(false)
  first.release(false)
  expect(status('a').requests_in_flight).toBe(1)
  second.release(false)
  expect(status('a').requests_in_flight).toBe(0)
})

test('a client that leaves while it waits frees its place, one that leaves as its lease comes still has to release it', async () => {
  const { turnAt, status } = start({ a: { max_concurrent: 1 } })
  const first = await granted(turnAt('a', caller()))
  const left = caller()
  const waiting = turnAt('a', left)
  expect(status('a').requests_waiting).toBe(1)
  left.leave()
  expect(await waiting).toEqual({ kind: 'gone' })
  expect(status('a').requests_waiting).toBe(0)
  const late = caller()
  const next = turnAt('a', late)
  first.release(false)
  late.leave()
  ;(await granted(next)).release(false)
  expect(status('a').requests_in_flight).toBe(0)
})

test('one that does not start refuses those who wait, and at once those who come after', async () => {
  engine.probe = () => Promise.reject(new Error('no such model'))
  const { turnAt, status } = start({ a: { agent: undefined } })
  expect(await turnAt('a', caller())).toMatchObject({ kind: 'refused', reason: 'down' })
  const after = turnAt('a', caller())
  expect(isWaiting(after)).toBe(false)
  expect(after).toMatchObject({ kind: 'refused', reason: 'down', error: { code: 'BACKEND_DOWN' } })
  expect(status('a')).toMatchObject({ state: 'quarantined', requests_waiting: 0 })
  engine.probe = async () => 200
})

test('a request whose backend moves to another group waits there; leases go with it', async () => {
  const configs = { a: { max_concurrent: 1, group: 'one' }, b: { group: 'one' } }
  const { turnAt, status, apply } = start(configs)
  const first = await granted(turnAt('a', caller()))
  const waiting = turnAt('a', caller())
  apply(configured({ ...configs, a: { ...configs.a, group: 'two' } }))
  expect(status('a')).toMatchObject({ group: 'two', requests_in_flight: 1 })
  first.release(false)
  const second = await granted(waiting)
  expect(status('a').requests_in_flight).toBe(1)
  second.release(false)
  expect(status('a').requests_in_flight).toBe(0)
})

test('a request whose backend is taken out goes on; a lease from before does not count at its namesake', async () => {
  const { turnAt, status, apply } = start({ a: { max_concurrent: 1 } })
  const first = await granted(turnAt('a', caller()))
  const waiting = turnAt('a', caller())
  apply({})
  expect(await waiting).toMatchObject({ kind: 'granted', mayRestart: false })
  apply(configured({ a: { max_concurrent: 1 } }))
  const second = await granted(turnAt('a', caller()))
  first.release(true)
  expect(status('a')).toMatchObject({ state: 'ready', requests_in_flight: 1 })
  second.release(false)
})

test.each([
  { name: 'E4: a backend that runs', active: 'active', expected: 'ready' },
  { name: 'E4: one that is stopped', active: 'inactive', expected: 'cold' },
  { name: 'E4: one that is still starting', active: 'activating', expected: 'unknown' },
])('$name is $expected as soon as an operator looks', async ({ active, expected }) => {
  unit.active = active
  const { lookUp, list } = start({ a: {} })
  expect(list()).toMatchObject([{ state: 'unknown' }])
  await lookUp(AbortSignal.timeout(1_000))
  expect(list()).toMatchObject([{ state: expected }])
})

test('E4: looking stops nothing, and an agent that does not answer leaves it unknown', async () => {
  unit.active = 'active'
  const { lookUp, list, turnAt } = start({ a: { group: 'one' }, b: { group: 'one' } })
  await granted(turnAt('a', caller()))
  unit.stops = 0
  await lookUp(AbortSignal.timeout(1_000))
  expect(unit.stops).toBe(0)
  await lookUp(AbortSignal.abort())
  expect(list()).toMatchObject([{ state: 'ready' }, {}])
})
