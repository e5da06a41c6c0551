import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ANYWHERE,
  inOrder,
  preferring,
  type Readiness,
  type TargetFacts,
  unfit,
  type Wanted,
} from '../../../../daemon/route/choice.ts'
import { createRetryBudget } from '../../../../daemon/route/retry-budget.ts'
import type { RouteModel } from '../../../../daemon/route/route-table.ts'
import { createRoutes } from '../../../../daemon/route/routes.ts'
import { createSessions } from '../../../../daemon/route/sessions.ts'
import { createTargetHealth, type Target } from '../../../../daemon/route/target-health.ts'

const target = (upstream: string): Target => ({ upstream, model: 'm', weight: 1 })
const names = (targets: readonly Target[]) => targets.map(({ upstream }) => upstream).join(' ')

/** mulberry32: numbers from 0 to 1, the same ones every time. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const TOOLS: Wanted = { ...ANYWHERE, offersTools: () => true }
const LONG: Wanted = { ...ANYWHERE, isLongerThan: (tokens) => tokens < 50 }
const IMAGE = { ...ANYWHERE, holds: () => ['image'] }

test.each<{ name: string; facts: TargetFacts; wanted: Wanted; why: string | null }>([
  { name: 'text goes anywhere', facts: { input: ['text'] }, wanted: ANYWHERE, why: null },
  { name: 'an image goes where images are taken', facts: { input: ['text', 'image'] }, wanted: IMAGE, why: null },
  {
    name: 'an image goes to no text model',
    facts: { input: ['text'] },
    wanted: IMAGE,
    why: 'the model takes no image',
  },
  { name: 'what is not known is tried', facts: {}, wanted: IMAGE, why: null },
  {
    name: 'only some upstreams',
    facts: {},
    wanted: { ...ANYWHERE, only: ['b'] },
    why: 'the request names other upstreams',
  },
  {
    name: 'a highest price leaves out what costs more',
    facts: { price: { input: 3, output: 9 } },
    wanted: { ...ANYWHERE, maxPrice: { input: 3, output: 8 } },
    why: 'it costs more than the request allows',
  },
  {
    name: 'a highest price leaves in what costs as much',
    facts: { price: { input: 3, output: 8 } },
    wanted: { ...ANYWHERE, maxPrice: { input: 3, output: 8 } },
    why: null,
  },
  {
    name: 'a highest price leaves out what it is not known of',
    facts: {},
    wanted: { ...ANYWHERE, maxPrice: { input: 3, output: 8 } },
    why: 'its price is not known, and the request sets a highest one',
  },
  {
    name: 'a highest price leaves in an own engine',
    facts: { isOwn: true },
    wanted: { ...ANYWHERE, maxPrice: { input: 0, output: 0 } },
    why: null,
  },
  {
    name: 'a provider that routes by itself keeps to the price and to promises by itself',
    facts: { isRouter: true },
    wanted: { ...ANYWHERE, maxPrice: { input: 0, output: 0 }, promises: ['zdr', 'quantizations'] },
    why: null,
  },
  {
    name: 'an own engine gives nothing away',
    facts: { isOwn: true },
    wanted: { ...ANYWHERE, promises: ['zdr', 'data_collection'] },
    why: null,
  },
  {
    name: 'an own engine promises nothing about its weights',
    facts: { isOwn: true },
    wanted: { ...ANYWHERE, promises: ['zdr', 'quantizations'] },
    why: 'it cannot promise provider.quantizations',
  },
  {
    name: 'others promise nothing',
    facts: {},
    wanted: { ...ANYWHERE, promises: ['zdr', 'quantizations'] },
    why: 'it cannot promise provider.zdr, provider.quantizations',
  },
  {
    name: 'not some upstreams',
    facts: {},
    wanted: { ...ANYWHERE, ignore: ['a'] },
    why: 'the request leaves this upstream out',
  },
])('$name', ({ facts, wanted, why }) => {
  expect(unfit(target('a'), facts, wanted)).toBe(why)
})

test.each<{ name: string; facts: TargetFacts; wanted: Wanted; order: string }>([
  { name: 'tools go to what calls them', facts: { tools: false }, wanted: TOOLS, order: 'b' },
  { name: 'what is not known is tried', facts: {}, wanted: TOOLS, order: 'a b' },
  { name: 'without tools either does', facts: { tools: false }, wanted: ANYWHERE, order: 'a b' },
  { name: 'what is too long goes where there is room', facts: { contextTokens: 10 }, wanted: LONG, order: 'b' },
  { name: 'what fits goes anywhere', facts: { contextTokens: 99 }, wanted: LONG, order: 'a b' },
])('$name', ({ facts, wanted, order }) => {
  const model: RouteModel = { targets: ['a', 'b'].map(target), strategy: 'fallback' }
  const upstreams = ['a', 'b'].map((name) => ({ name, models: [], open: false }))
  const routesWith = (second: TargetFacts) =>
    createRoutes(
      { m: model },
      upstreams,
      createTargetHealth(() => 0),
      () => 0,
      ({ upstream }) => (upstream === 'a' ? facts : second),
    )
  expect(names(routesWith({}).targetsOf('m', wanted))).toBe(order)
  // where none would do better, all are tried: an estimate is no refusal
  expect(names(routesWith(facts).targetsOf('m', wanted))).toBe('a b')
})

test('cost: the cheapest first; own engines cost nothing, and what has no known price comes last', () => {
  const price = (input: number) => ({ price: { input, output: 1 } })
  const choices = [
    { target: target('unknown'), facts: {} },
    { target: target('dear'), facts: price(9) },
    { target: target('cheap'), facts: price(2) },
    { target: target('own'), facts: { isOwn: true } },
  ]
  expect(names(inOrder('cost', choices, { load: () => 0 }, () => 0))).toBe('own cheap dear unknown')
})

test('latency: of two picked at random the faster is first; the slowest of three never is, and load counts', () => {
  const health = createTargetHealth(() => 0)
  const all = ['a', 'b', 'c'].map(target)
  for (const [i, one] of all.entries()) health.succeeded(one, 10 * (i + 1))
  const choices = all.map((one) => ({ target: one, facts: {} }))
  const random = seededRandom(3)
  const firsts = new Map<string, number>()
  for (let i = 0; i < 3_000; i += 1) {
    const order = inOrder('latency', choices, health, random)
    expect(new Set(order).size).toBe(3)
    const first = order[0]?.upstream ?? ''
    firsts.set(first, (firsts.get(first) ?? 0) + 1)
  }
  expect([...firsts.keys()].sort()).toEqual(['a', 'b'])
  expect((firsts.get('a') ?? 0) / 3_000).toBeCloseTo(2 / 3, 1)
  for (let i = 0; i < 9; i += 1) health.begins(target('a'))
  expect(names(inOrder('latency', choices.slice(0, 2), health, random))).toBe('b a')
})

test('a target that gets slow is believed at once, one that gets faster after a while', () => {
  const health = createTargetHealth(() => 0)
  const one = target('a')
  health.succeeded(one, 10)
  health.succeeded(one, 500)
  expect(health.latencyMs(one)).toBe(500)
  health.succeeded(one, 10)
  expect(health.latencyMs(one)).toBeGreaterThan(400)
})

test('every strategy gives each target once, whatever the numbers', () => {
  const strategies = fc.constantFrom('fallback', 'weighted', 'latency', 'cost' as const)
  const loads = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(strategies, loads, fc.integer(), (strategy, list, seed) => {
      const choices = list.map((_, i) => ({ target: target(`u${i}`), facts: {} }))
      const load = ({ upstream }: Target) => list[Number(upstream.slice(1))] ?? 0
      const order = inOrder(strategy as 'cost', choices, { load }, seededRandom(seed))
      expect(order.toSorted().length).toBe(list.length)
      expect(new Set(order).size).toBe(list.length)
    }),
  )
})

test('what a request prefers comes first, in its order', () => {
  expect(names(preferring(['a', 'b', 'c'].map(target), ['c', 'x', 'b']))).toBe('c b a')
})

const MODELS: Readonly<Record<string, RouteModel>> = {
  chat: {
    strategy: 'weighted',
    targets: [
      { upstream: 'a', weight: 1 },
      { upstream: 'b', weight: 1 },
      { upstream: 'gone', weight: 1 },
    ],
  },
  loose: { strategy: 'weighted', affinity: 'none', targets: ['a', 'b'].map((upstream) => ({ upstream, weight: 1 })) },
}

function routesOf(facts: Readonly<Record<string, TargetFacts>> = {}) {
  const upstreams = ['a', 'b'].map((name) => ({ name, models: [], open: true }))
  let time = 0
  const health = createTargetHealth(() => time)
  const routes = createRoutes(MODELS, upstreams, health, seededRandom(5), ({ upstream }) => facts[upstream] ?? {})
  return {
    health,
    routes,
    pass: (ms: number) => {
      time += ms
    },
  }
}

test('requests of one session stay together while their target is well, and move on together', () => {
  const { routes, health } = routesOf()
  const first = (session: string | null, model = 'chat') =>
    routes.targetsOf(model, { ...ANYWHERE, session })[0]?.upstream ?? ''
  const place = first('s1')
  expect(Array.from({ length: 20 }, () => first('s1'))).toEqual(Array(20).fill(place))
  expect(new Set(Array.from({ length: 40 }, () => first(null))).size).toBe(2)
  expect(new Set(Array.from({ length: 40 }, () => first('s1', 'loose'))).size).toBe(2)
  health.failed({ upstream: place, model: 'chat', weight: 1 }, 30_000)
  const next = first('s1')
  expect(next).not.toBe(place)
  health.succeeded({ upstream: place, model: 'chat', weight: 1 }, 10)
  expect(first('s1')).toBe(next)
})

test('sessions are forgotten, the oldest first, before they take much memory', () => {
  const sessions = createSessions()
  const both = ['a', 'b'].map(target)
  for (let i = 0; i <= 20_000; i += 1) sessions.note(`s${i}`, target('b'))
  expect(sessions.placeOf('s0', both)).toBeUndefined()
  expect(sessions.placeOf('s20000', both)).toBe(both[1])
  expect(sessions.placeOf('s20000', [target('a')])).toBeUndefined()
})

test('images never go to a text model, and a request that fits none is refused', () => {
  const { routes } = routesOf({ a: { input: ['text'] } })
  for (let i = 0; i < 10; i += 1) expect(names(routes.targetsOf('chat', IMAGE))).toBe('b')
  expect(() => routes.targetsOf('a/x', IMAGE)).toThrow('no target of "a/x" can serve this request')
})

test('a request may name more models, one upstream, and forbid a second try', () => {
  const { routes } = routesOf()
  const ask = (wanted: Partial<Wanted>, model = 'a/x') =>
    routes.targetsOf(model, { ...ANYWHERE, ...wanted }).map(({ upstream, model: id }) => `${upstream}/${id}`)
  expect(ask({ models: ['b/y', 'never-heard-of'] })).toEqual(['a/x', 'b/y'])
  expect(ask({ only: ['b'] }, 'chat')).toEqual(['b/chat'])
  expect(ask({ isAlone: true, order: ['b'] }, 'chat')).toEqual(['b/chat'])
})

test('why each target is chosen, or not', () => {
  const { routes, health } = routesOf({ a: { input: ['text'] } })
  health.succeeded({ upstream: 'b', model: 'chat', weight: 1 }, 120)
  const common = { model: 'chat', stays: false, weight: 1, price: null, readiness: null }
  const report = { isWell: true, restMs: 0, latencyMs: 0, inFlight: 0 }
  expect(routes.explain('chat', IMAGE)).toEqual({
    strategy: 'weighted',
    isLoadedFirst: false,
    targets: [
      {
        ...common,
        upstream: 'b',
        turn: 1,
        why: 'well, 120 ms to the first byte, 0 in flight, weight 1',
        health: { ...report, latencyMs: 120 },
      },
      { ...common, upstream: 'a', turn: null, why: 'the model takes no image', health: report },
      { ...common, upstream: 'gone', turn: null, why: 'the upstream is disabled or does not exist', health: null },
    ],
  })
  expect(() => routes.explain('nothing')).toThrow('no model')
})

test('further attempts have a budget that requests and time pay for', () => {
  let time = 0
  const budget = createRetryBudget(() => time)
  const most = Array.from({ length: 200 }, () => budget.retry()).filter(Boolean).length
  expect(most).toBe(100)
  for (let i = 0; i < 5; i += 1) budget.request()
  expect([budget.retry(), budget.retry()]).toEqual([true, false])
  time += 1_000
  expect([budget.retry(), budget.retry(), budget.retry()]).toEqual([true, true, false])
})

test('names that nothing is called here are for a provider that routes by itself', () => {
  const { routes } = routesOf({ a: { isRouter: true } })
  const ask = (only: string[]) => names(routes.targetsOf('chat', { ...ANYWHERE, only }))
  expect(ask(['deepinfra'])).toBe('a')
  expect(ask(['b'])).toBe('b')
  expect(() => routesOf().routes.targetsOf('chat', { ...ANYWHERE, only: ['deepinfra'] })).toThrow(
    'names other upstreams',
  )
})

const TWO = ['a', 'b'].map((upstream) => ({ upstream, weight: 1 }))
const READINESS_MODELS: Readonly<Record<string, RouteModel>> = {
  one: { strategy: 'fallback', targets: [{ upstream: 'a', weight: 1 }], category: 'local' },
  two: { strategy: 'fallback', targets: [{ upstream: 'b', weight: 1 }], category: 'local' },
  fallback: { strategy: 'fallback', targets: TWO },
  cost: { strategy: 'cost', targets: TWO },
  latency: { strategy: 'latency', targets: TWO },
  weighted: {
    strategy: 'weighted',
    targets: [
      { upstream: 'a', weight: 1e9 },
      { upstream: 'b', weight: 1 },
    ],
  },
}

test.each<{ model: string; a: Readiness; b: Readiness; first: string; cheap?: boolean }>([
  { model: 'local', a: 'loaded', b: 'loaded', first: 'a' },
  { model: 'local', a: 'asleep', b: 'loaded', first: 'b' },
  { model: 'local', a: 'asleep', b: 'starting', first: 'b' },
  { model: 'local', a: 'asleep', b: 'asleep', first: 'a' },
  { model: 'local', a: 'stopping', b: 'asleep', first: 'b' },
  { model: 'local', a: 'refusing', b: 'asleep', first: 'b' },
  { model: 'fallback', a: 'asleep', b: 'loaded', first: 'a' },
  { model: 'weighted', a: 'asleep', b: 'loaded', first: 'a' },
  { model: 'cost', a: 'asleep', b: 'loaded', first: 'b' },
  { model: 'cost', a: 'asleep', b: 'loaded', first: 'a', cheap: true },
  { model: 'latency', a: 'asleep', b: 'loaded', first: 'b' },
])('$model: of $a and $b the first is $first (a is cheaper: $cheap)', ({ model, a, b, first, cheap = false }) => {
  const upstreams = ['a', 'b'].map((name) => ({ name, models: [], open: true, isBackend: true }))
  const health = createTargetHealth(() => 0)
  const lookUp = ({ upstream }: Target) =>
    cheap && upstream === 'b' ? { price: { input: 1, output: 1 } } : { isOwn: true }
  const readiness = (name: string): Readiness => (name === 'a' ? a : b)
  const random = seededRandom(2)
  const routes = createRoutes(READINESS_MODELS, upstreams, health, random, lookUp, createSessions(), readiness)
  const explained = routes.explain(model).targets
  expect(routes.targetsOf(model)[0]?.upstream).toBe(first)
  expect(explained[0]).toMatchObject({ upstream: first, readiness: first === 'a' ? a : b })
  expect(explained[0]?.why).toContain(first === 'a' ? a : b)
})

test('a session stays where it is while that runs or starts, and moves once it sleeps', () => {
  const states: Record<string, Readiness> = { a: 'loaded', b: 'loaded' }
  const upstreams = ['a', 'b'].map((name) => ({ name, models: [], open: true }))
  const health = createTargetHealth(() => 0)
  const readinessOf = (name: string): Readiness => states[name] ?? 'refusing'
  const routes = createRoutes(MODELS, upstreams, health, seededRandom(4), () => ({}), createSessions(), readinessOf)
  const ask = () => routes.targetsOf('chat', { ...ANYWHERE, session: 's' })[0]?.upstream ?? ''
  const place = ask()
  for (const state of ['loaded', 'starting'] as const) {
    states[place] = state
    expect(new Set(Array.from({ length: 20 }, ask))).toEqual(new Set([place]))
  }
  states[place] = 'asleep'
  const later = Array.from({ length: 40 }, ask)
  expect(later.at(-1)).not.toBe(place)
})

test('what goes on from an answer goes where that was made, unless its order is set or it is gone', () => {
  const { routes } = routesOf()
  const ask = (upstream: string, wanted: Partial<Wanted> = {}, model = 'chat') =>
    routes.targetsOf(model, { ...ANYWHERE, servedBy: { upstream, model }, ...wanted })[0]?.upstream
  for (const upstream of ['a', 'b']) {
    expect(new Set(Array.from({ length: 20 }, () => ask(upstream)))).toEqual(new Set([upstream]))
  }
  expect(ask('a', { order: ['b'] })).toBe('b')
  expect(ask('a', { ignore: ['a'] })).toBe('b')
  expect(new Set(Array.from({ length: 40 }, () => ask('a', {}, 'loose')))).toEqual(new Set(['a', 'b']))
  const explained = routes.explain('chat', { ...ANYWHERE, servedBy: { upstream: 'b', model: 'chat' } }).targets
  expect(explained[0]).toMatchObject({ upstream: 'b', stays: true, why: expect.stringContaining('session stays here') })
})

test('models to try after the first come after all of its targets, unless all are to be compared', () => {
  const models: Readonly<Record<string, RouteModel>> = {
    dear: {
      strategy: 'cost',
      targets: [
        { upstream: 'a', weight: 1 },
        { upstream: 'b', weight: 1 },
      ],
    },
    cheap: { strategy: 'fallback', targets: [{ upstream: 'c', weight: 1 }] },
  }
  const prices: Record<string, number> = { a: 9, b: 5, c: 1 }
  const upstreams = ['a', 'b', 'c'].map((name) => ({ name, models: [], open: true }))
  const routes = createRoutes(
    models,
    upstreams,
    createTargetHealth(() => 0),
    () => 0,
    ({ upstream }) => ({
      price: { input: prices[upstream] ?? 0, output: 0 },
    }),
  )
  const ask = (wanted: Partial<Wanted>) =>
    names(routes.targetsOf('dear', { ...ANYWHERE, models: ['cheap'], ...wanted }))
  expect(ask({})).toBe('b a c')
  expect(ask({ strategy: 'cost' })).toBe('b a c')
  expect(ask({ strategy: 'cost', isAcrossModels: true })).toBe('c b a')
})

test('explain shows what rests where it is asked, and makes no probe', () => {
  const { routes, health, pass } = routesOf()
  const a: Target = { upstream: 'a', model: 'chat', weight: 1 }
  health.failed(a, 5_000)
  const explained = () => routes.explain('chat').targets.filter(({ turn }) => turn !== null)
  expect(explained().map(({ upstream }) => upstream)).toEqual(['b', 'a'])
  expect(explained()[1]?.why).toMatch(/^rests 5 s/)
  pass(5_000)
  for (let i = 0; i < 3; i += 1) {
    expect(explained().find(({ upstream }) => upstream === 'a')?.why).toMatch(/^to be probed/)
  }
  expect(routes.targetsOf('a/chat')[0]).toMatchObject(a)
})

test('explain says where no key may be used', () => {
  const { routes } = routesOf()
  const { targets } = routes.explain('chat', ANYWHERE, (upstream) => (upstream === 'a' ? 4_001 : 0))
  const of = (name: string) => targets.find(({ upstream }) => upstream === name)
  expect(of('a')?.why).toMatch(/^all of its keys rest or have reached their limit, 5 s,/)
  expect(of('a')?.health).toMatchObject({ restMs: 4_001 })
  expect(of('b')?.why).toMatch(/^well,/)
})

test('what others do better is told, and so is what may not be asked second', () => {
  const { routes } = routesOf({ a: { tools: false } })
  const [, left] = routes.explain('chat', TOOLS).targets
  expect(left).toMatchObject({ upstream: 'a', turn: null, why: 'the model calls no tools; others do better' })
  const [first, second] = routes.explain('chat', { ...ANYWHERE, isAlone: true }).targets
  expect(first?.turn).toBe(1)
  expect(second).toMatchObject({ turn: null, why: 'the request allows no second target' })
})

test('no request asks more than eight targets, and explain says so', () => {
  const targets = Array.from({ length: 10 }, (_, i) => ({ upstream: `u${i}`, weight: 1 }))
  const upstreams = targets.map(({ upstream: name }) => ({ name, models: [], open: true }))
  const health = createTargetHealth(() => 0)
  const routes = createRoutes({ many: { strategy: 'fallback', targets } }, upstreams, health, () => 0)
  expect(routes.targetsOf('many')).toHaveLength(8)
  expect(routes.explain('many').targets.at(-1)).toMatchObject({
    turn: null,
    why: 'no request asks more than 8 targets',
  })
})

test('the name of a backend means its first model, unless something else has that name', () => {
  const upstreams = [
    { name: 'box', models: ['qwen', 'gemma'], open: false, isBackend: true },
    { name: 'taken', models: ['llama'], open: false, isBackend: true },
    { name: 'cloud', models: ['gpt'], open: false },
  ]
  const models: Readonly<Record<string, RouteModel>> = {
    taken: { strategy: 'fallback', targets: [{ upstream: 'cloud', model: 'gpt', weight: 1 }] },
  }
  const routes = createRoutes(
    models,
    upstreams,
    createTargetHealth(() => 0),
    () => 0,
  )
  const placeOf = (name: string) => routes.targetsOf(name).map(({ upstream, model }) => `${upstream}/${model}`)
  expect([placeOf('box'), placeOf('taken')]).toEqual([['box/qwen'], ['cloud/gpt']])
  expect(() => routes.targetsOf('cloud')).toThrow('no model "cloud"')
  expect(routes.list().map(({ id }) => id)).not.toContain('box')
  expect(() => routes.of({ models: ['gemma'], categories: [] }).targetsOf('box')).toThrow('no model')
})
