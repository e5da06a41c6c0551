import { expect, test } from 'vitest'
import { ANYWHERE } from '../../../../daemon/route/choice.ts'
import type { RouteModel } from '../../../../daemon/route/route-table.ts'
import { createRoutes } from '../../../../daemon/route/routes.ts'
import { createTargetHealth, type Target } from '../../../../daemon/route/target-health.ts'

const upstreams = [
  { name: 'openai', models: ['gpt-5', 'shared'], open: true },
  { name: 'local', models: ['qwen', 'shared'], open: false },
]

function routesOf(models: Readonly<Record<string, RouteModel>> = {}, random = () => 0.5) {
  let time = 0
  const health = createTargetHealth(() => time)
  return { routes: createRoutes(models, upstreams, health, random), health, pass: (ms: number) => (time += ms) }
}
const namesOf = (targets: readonly { upstream: string; model: string }[]) =>
  targets.map((t) => `${t.upstream}/${t.model}`)
const target = (upstream: string, model?: string, weight = 1) => ({ upstream, model, weight })

test.each([
  { model: 'coder', targets: ['local/qwen', 'openai/gpt-5'] },
  { model: 'thinking', targets: ['local/qwen', 'openai/gpt-5', 'openai/gpt-5'] },
  { model: 'gpt-5', targets: ['openai/gpt-5'] },
  { model: 'shared', targets: ['openai/shared'] },
  { model: 'local/shared', targets: ['local/shared'] },
  { model: 'openai/made-up', targets: ['openai/made-up'] },
  { model: 'openai/a/b', targets: ['openai/a/b'] },
])('$model leads to $targets', ({ model, targets }) => {
  const { routes } = routesOf({
    coder: {
      targets: [target('local', 'qwen'), target('openai', 'gpt-5'), target('gone')],
      strategy: 'fallback',
      category: 'thinking',
    },
    second: { targets: [target('openai', 'gpt-5')], strategy: 'fallback', category: 'thinking' },
  })
  expect(namesOf(routes.targetsOf(model))).toEqual(targets)
})

test.each(['nope', '', '/', 'local/made-up', 'openai/', '/gpt-5', 'elsewhere/gpt-5', 'constructor', '__proto__'])(
  'refuses the model %j',
  (model) => {
    expect(() => routesOf().routes.targetsOf(model)).toThrow(/no model/)
  },
)

test.each([
  { id: 'openai/gpt-5', targets: ['openai/gpt-5'] },
  { id: 'openai/secret', targets: ['openai/secret'] },
  { id: 'finder/openai/secret', targets: ['finder/openai/secret'] },
  { id: 'someone/else', targets: ['finder/someone/else'] },
  { id: 'finder/own', targets: ['finder/finder/own'] },
])('what one upstream lists below the name of another does not take over its requests: $id', ({ id, targets }) => {
  const finder = { name: 'finder', models: ['openai/gpt-5', 'openai/secret', 'someone/else', 'finder/own'], open: true }
  const health = createTargetHealth(() => 0)
  const openai = { name: 'openai', models: [], open: true }
  const routes = createRoutes({}, [finder, openai], health, () => 0.5)
  expect(namesOf(routes.targetsOf(id))).toEqual(targets)
  expect(routes.list().map(({ id }) => id)).not.toContain('openai/secret')
})

test.each([
  { model: 'llama3', targets: ['ollama/llama3:latest'] },
  { model: 'llama3:latest', targets: ['ollama/llama3:latest'] },
  { model: 'ollama/llama3', targets: ['ollama/llama3:latest'] },
  { model: 'coder:latest', targets: ['ollama/qwen:7b'] },
  { model: 'qwen', targets: null },
  { model: 'qwen:7b:latest', targets: ['ollama/qwen:7b'] },
])('a name without a tag is the same as with the usual one, as for Ollama: $model', ({ model, targets }) => {
  const ollama = { name: 'ollama', models: ['llama3:latest', 'qwen:7b'], open: true }
  const coder: RouteModel = { targets: [target('ollama', 'qwen:7b')], strategy: 'fallback' }
  const routes = createRoutes(
    { coder },
    [ollama],
    createTargetHealth(() => 0),
    () => 0.5,
  )
  if (targets === null) expect(() => routes.targetsOf(model)).toThrow(/no model/)
  else expect(namesOf(routes.targetsOf(model))).toEqual(targets)
})

test('what is known of a target is looked up once, and of one that is made for a request nothing is kept', () => {
  const looked: string[] = []
  const lookUp = ({ upstream, model }: Target) => {
    looked.push(`${upstream}/${model}`)
    return {}
  }
  const health = createTargetHealth(() => 0)
  const routes = createRoutes({}, [{ name: 'a', models: ['listed'], open: true }], health, () => 0.5, lookUp)
  for (const model of ['listed', 'listed', 'a/other', 'a/other']) routes.targetsOf(model)
  expect(looked).toEqual(['a/listed', 'a/other', 'a/other'])
})

test('an unknown model is told its near names', () => {
  expect(() => routesOf().routes.targetsOf('gtp-5')).toThrow('no model "gtp-5"; did you mean "gpt-5"')
})

test('a listed id that two upstreams have is listed bare once', () => {
  expect(
    routesOf()
      .routes.list()
      .map(({ id }) => id),
  ).toEqual(['gpt-5', 'shared', 'qwen', 'local/shared'])
})

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

test('weighted: shares follow the weights, the others stay as fallback', () => {
  const { routes } = routesOf(
    { w: { targets: [target('openai', 'gpt-5', 3), target('local', 'qwen', 1)], strategy: 'weighted' } },
    seededRandom(7),
  )
  let first = 0
  for (let i = 0; i < 2_000; i += 1) {
    const targets = namesOf(routes.targetsOf('w'))
    expect(targets).toHaveLength(2)
    if (targets[0] === 'openai/gpt-5') first += 1
  }
  expect(first / 2_000).toBeGreaterThan(0.7)
  expect(first / 2_000).toBeLessThan(0.8)
})

test('latency: the fastest first', () => {
  const { routes, health } = routesOf({
    l: { targets: [target('openai', 'gpt-5'), target('local', 'qwen')], strategy: 'latency' },
  })
  health.succeeded({ upstream: 'openai', model: 'gpt-5', weight: 1 }, 300)
  health.succeeded({ upstream: 'local', model: 'qwen', weight: 1 }, 20)
  expect(namesOf(routes.targetsOf('l'))).toEqual(['local/qwen', 'openai/gpt-5'])
})

test('a target that failed rests, longer each time, and is tried first again afterwards', () => {
  const { routes, health, pass } = routesOf({
    f: { targets: [target('local', 'qwen'), target('openai', 'gpt-5')], strategy: 'fallback' },
  })
  const local = { upstream: 'local', model: 'qwen', weight: 1 }
  const first = () => namesOf(routes.targetsOf('f'))[0]
  health.failed(local, null)
  expect(first()).toBe('openai/gpt-5')
  pass(1_001)
  expect(first()).toBe('local/qwen')
  health.failed(local, null)
  pass(1_001)
  expect(first()).toBe('openai/gpt-5')
  pass(1_000)
  expect(first()).toBe('local/qwen')
  health.failed(local, 30_000)
  pass(29_000)
  expect(first()).toBe('openai/gpt-5')
  health.succeeded(local, 5)
  expect(first()).toBe('local/qwen')
})

const CODER: RouteModel = {
  targets: [target('local', 'qwen'), target('openai', 'gpt-5')],
  strategy: 'fallback',
  category: 'code',
}

test.each([
  { models: ['coder'], finds: ['coder'], not: ['code', 'qwen', 'gpt-5', 'local/qwen', 'second'] },
  { models: ['gpt-5'], finds: ['gpt-5', 'openai/gpt-5'], not: ['openai/gpt-5-pro', 'coder', 'GPT-5'] },
  { models: ['openai/gpt-5'], finds: ['gpt-5', 'openai/gpt-5'], not: ['shared', 'openai/made-up'] },
  { models: ['openai/*'], finds: ['gpt-5', 'shared', 'openai/made-up'], not: ['qwen', 'local/shared', 'coder'] },
  { models: ['shared'], finds: ['shared', 'openai/shared'], not: ['local/shared'] },
  { models: ['local/shared'], finds: ['local/shared'], not: ['shared', 'openai/shared'] },
  { models: ['*'], finds: ['coder', 'code', 'qwen', 'openai/made-up'], not: ['nope'] },
  { models: ['q'], finds: [], not: ['qwen', 'coder'] },
  { categories: ['code'], finds: ['code', 'coder'], not: ['second', 'qwen', 'gpt-5'] },
  { models: ['code'], finds: ['code'], not: ['coder'] },
  { models: ['qwen'], categories: ['other'], finds: ['qwen', 'second', 'other'], not: ['coder', 'code', 'shared'] },
])('a key for $models $categories finds $finds', ({ models = [], categories = [], finds, not }) => {
  const { routes } = routesOf({
    coder: CODER,
    second: { targets: [target('openai', 'gpt-5')], strategy: 'fallback', category: 'other' },
  })
  const own = routes.of({ models, categories })
  for (const name of finds) {
    expect(own.targetsOf(name)).toEqual(routes.targetsOf(name))
    expect(own.entryOf(name)).toEqual(routes.entryOf(name))
  }
  for (const name of not) {
    expect(() => own.targetsOf(name)).toThrow(expect.objectContaining({ code: 'MODEL_NOT_FOUND' }))
    expect(() => own.entryOf(name)).toThrow(expect.objectContaining({ code: 'MODEL_NOT_FOUND' }))
  }
  const listed = own.list().map(({ id }) => id)
  expect(listed).toEqual(
    routes
      .list()
      .map(({ id }) => id)
      .filter((id) => finds.includes(id) || (models.includes('*') && id !== 'nope')),
  )
})

test('a key is told of no name that it may not use, and none is tried after its own', () => {
  const { routes } = routesOf({ coder: CODER })
  const own = routes.of({ models: ['gpt-5', 'coder'], categories: [] })
  expect(() => own.targetsOf('gpt-4')).toThrow('no model "gpt-4" that this key may use; did you mean "gpt-5"')
  expect(() => own.targetsOf('share')).toThrow('no model "share" that this key may use; see GET /v1/models')
  const wanted = { ...ANYWHERE, models: ['shared', 'coder', 'local/qwen'] }
  expect(namesOf(own.targetsOf('gpt-5', wanted))).toEqual(['openai/gpt-5', 'local/qwen', 'openai/gpt-5'])
})

test.each([
  { models: ['coder'], reaches: ['openai', 'local'] },
  { models: ['qwen'], reaches: ['local'] },
  { models: ['openai/made-up'], reaches: ['openai'] },
  { models: ['open*'], reaches: ['openai'] },
  { models: ['nope'], reaches: [] },
])('a key for $models reaches $reaches', ({ models, reaches }) => {
  const own = routesOf({ coder: CODER }).routes.of({ models, categories: [] })
  expect(['openai', 'local', 'elsewhere'].filter(own.reaches)).toEqual(reaches)
})
