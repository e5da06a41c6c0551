import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inOrder } from '../../../../daemon/route/choice.ts'
import { createTargetHealth, type Target } from '../../../../daemon/route/target-health.ts'

// The strategy "latency" with targets that take their time on a clock of its own: no real time passes.

type Clock = { time: number; readonly due: { readonly at: number; readonly run: () => void }[] }

function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function passTo(clock: Clock, time: number): void {
  for (;;) {
    const [next] = clock.due.toSorted((a, b) => a.at - b.at)
    if (next === undefined || next.at > time) break
    clock.due.splice(clock.due.indexOf(next), 1)
    clock.time = next.at
    next.run()
  }
  clock.time = time
}

/** @returns how many requests each target got */
function served(
  latenciesMs: () => readonly number[],
  {
    requests,
    everyMs,
    seed,
    clock = { time: 0, due: [] },
    health = createTargetHealth(() => clock.time),
  }: {
    readonly requests: number
    readonly everyMs: number
    readonly seed: number
    readonly clock?: Clock
    readonly health?: ReturnType<typeof createTargetHealth>
  },
): number[] {
  const random = seededRandom(seed)
  const targets = latenciesMs().map((_, i): Target => ({ upstream: String(i), model: 'm', weight: 1 }))
  const known = targets.map((target) => ({ target, facts: {} }))
  const counts = targets.map(() => 0)
  for (let i = 0; i < requests; i += 1) {
    const [first] = inOrder('latency', known, health, random)
    if (first === undefined) break
    const at = Number(first.upstream)
    const latencyMs = latenciesMs()[at] ?? 0
    counts[at] = (counts[at] ?? 0) + 1
    health.begins(first)
    clock.due.push({
      at: clock.time + latencyMs,
      run: () => {
        health.succeeded(first, latencyMs)
        health.ends(first)
      },
    })
    passTo(clock, clock.time + everyMs)
  }
  return counts
}

test('the slower a target, the less it gets, whatever the rate of requests; and none is left out for ever', () => {
  const cases = fc.record({
    fastMs: fc.integer({ min: 10, max: 500 }),
    factor: fc.integer({ min: 4, max: 40 }),
    count: fc.integer({ min: 2, max: 4 }),
    everyMs: fc.integer({ min: 100, max: 2_000 }),
    seed: fc.integer(),
  })
  fc.assert(
    fc.property(cases, ({ fastMs, factor, count, everyMs, seed }) => {
      const latencies = [fastMs * factor, ...Array.from({ length: count - 1 }, () => fastMs)]
      const requests = Math.ceil(300_000 / everyMs)
      const [slow = 0, ...fast] = served(() => latencies, { requests, everyMs, seed })
      const least = Math.min(...fast)
      expect(slow).toBeGreaterThan(0)
      expect(slow).toBeLessThan(least)
    }),
    { numRuns: 25 },
  )
})

test.each([2, 3, 5])(
  'of %i targets one that hung is asked again once that is long ago, and has its share then',
  (count) => {
    const clock: Clock = { time: 0, due: [] }
    const health = createTargetHealth(() => clock.time)
    let isHung = true
    const latencies = () => Array.from({ length: count }, (_, i) => (i === 0 && isHung ? 60_000 : 100))
    const run = (requests: number) => served(latencies, { requests, everyMs: 500, seed: 7, clock, health })
    const [hung = 0, ...others] = run(240)
    expect(hung).toBeLessThan(Math.min(...others))
    isHung = false
    passTo(clock, clock.time + 600_000)
    const [recovered = 0] = run(600)
    expect(recovered).toBeGreaterThan(600 / count / 3)
  },
)

test('what was never measured gets one request, not all until it has answered', () => {
  const health = createTargetHealth(() => 0)
  const [known, fresh] = ['known', 'fresh'].map((upstream): Target => ({ upstream, model: 'm', weight: 1 })) as [
    Target,
    Target,
  ]
  health.succeeded(known, 100)
  const first = () =>
    inOrder(
      'latency',
      [known, fresh].map((target) => ({ target, facts: {} })),
      health,
      () => 0,
    )[0]
  expect(first()).toBe(fresh)
  health.begins(fresh)
  expect(first()).toBe(known)
})
