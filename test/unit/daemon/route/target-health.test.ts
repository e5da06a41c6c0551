import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTargetHealth, type Target } from '../../../../daemon/route/target-health.ts'

const [a, b, c] = ['a', 'b', 'c'].map((upstream): Target => ({ upstream, model: 'm', weight: 1 })) as [
  Target,
  Target,
  Target,
]
const ALL = [a, b, c]

function harness() {
  let time = 0
  const health = createTargetHealth(() => time)
  return {
    health,
    pass: (ms: number) => {
      time += ms
    },
    time: () => time,
    ask: () => health.order(ALL).map(({ upstream }) => upstream),
  }
}

test('after its rest a target gets one request, and the others go elsewhere until that one has an answer', () => {
  const { health, pass, ask } = harness()
  health.failed(a, null)
  pass(1_000)
  expect([ask(), ask(), ask()]).toEqual([
    ['a', 'b', 'c'],
    ['b', 'c', 'a'],
    ['b', 'c', 'a'],
  ])
  health.succeeded(a, 5)
  expect([ask(), ask()]).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ])
})

test.each<{ name: string; end: (h: ReturnType<typeof harness>) => void; next: readonly string[] }>([
  { name: 'fails', end: ({ health }) => health.failed(a, null), next: ['b', 'c', 'a'] },
  { name: 'succeeds', end: ({ health }) => health.succeeded(a, 1), next: ['a', 'b', 'c'] },
  { name: 'is told off by it', end: ({ health }) => health.succeeded(a, null), next: ['a', 'b', 'c'] },
  { name: 'ends without a word about it', end: ({ health }) => health.undecided(a), next: ['a', 'b', 'c'] },
  { name: 'never ends', end: ({ pass }) => pass(10_000), next: ['a', 'b', 'c'] },
  { name: 'has not ended yet', end: ({ pass }) => pass(9_999), next: ['b', 'c', 'a'] },
])('a probe that $name: the next request tries $next', ({ end, next }) => {
  const h = harness()
  h.health.failed(a, null)
  h.pass(1_000)
  h.ask()
  end(h)
  expect(h.ask()).toEqual(next)
})

test('what fails while a target rests was on its way, and makes no rest longer', () => {
  const { health, pass, ask } = harness()
  for (let i = 0; i < 50; i += 1) health.failed(a, null)
  pass(1_000)
  expect(ask()[0]).toBe('a')
  health.failed(a, null)
  health.failed(a, 30_000) // but what it says itself counts
  pass(29_999)
  expect(ask()[0]).toBe('b')
  pass(1)
  expect(ask()[0]).toBe('a')
})

/** What happens, in any order: a request comes, the oldest of those that wait ends somehow, time goes by. */
const event = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'ask' as const }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('failed', 'succeeded', 'undecided').map((end) => ({ kind: 'end', end }) as const),
  },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 4_000 }).map((ms) => ({ kind: 'pass', ms }) as const) },
)

test('however requests come and end: well targets first, and any other gets one request at a time', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const { health, pass, time, ask } = harness()
      const waiting: string[] = []
      const failed = new Set<string>()
      const probed = new Map<string, number>()
      for (const happens of events) {
        if (happens.kind === 'pass') pass(happens.ms)
        else if (happens.kind === 'ask') {
          const order = ask()
          const [first = ''] = order
          const well = ['a', 'b', 'c'].filter((name) => !failed.has(name))
          expect(order.toSorted()).toEqual(['a', 'b', 'c'])
          expect(order.filter((name, at) => at > 0 && well.includes(name))).toEqual(well.filter((n) => n !== first))
          expect(order.findLastIndex((name) => well.includes(name))).toBeLessThanOrEqual(well.length)
          waiting.push(first)
          if (well.length === 0 || well.includes(first)) continue
          expect(time() - (probed.get(first) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(10_000)
          probed.set(first, time())
        } else {
          const target = ALL.find(({ upstream }) => upstream === waiting[0])
          if (target === undefined) continue
          const { upstream: name } = target
          waiting.shift()
          probed.delete(name)
          if (happens.end === 'failed') health.failed(target, null)
          else if (happens.end === 'succeeded') health.succeeded(target, 1)
          else health.undecided(target)
          if (happens.end === 'failed') failed.add(name)
          if (happens.end === 'succeeded') failed.delete(name)
        }
      }
      pass(60_000)
      expect(ask()[0]).toBe('a') // what rests is never forgotten
    }),
  )
})
