import { expect, test } from 'vitest'
import type { BackendState } from '../../../../daemon/backends/status.ts'
import { createDirectory } from '../../../../daemon/gateway/directory.ts'
import type { Target } from '../../../../daemon/route/target-health.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import type { Answer } from '../../../../daemon/upstream/asking.ts'
import type { Upstream } from '../../../../daemon/upstream/upstream.ts'
import type { Upstreams } from '../../../../daemon/upstream/upstreams.ts'
import { configSchema } from '../../../../schemas/config/config.ts'
import { isProvider } from '../../../../schemas/words/providers.ts'

/** What each upstream says of its models: ids, or an error. */
type Says = Record<string, readonly string[] | Error>

const PROBE = {
  dialect: 'anthropic',
  path: '/probe',
  headers: {},
  empty: { body: {}, faultsOf: () => [] },
  questions: [],
}

/** A directory over upstreams that are not there: `says` is what they answer at the moment. */
function harness(
  config: object,
  says: Says,
  asleep: ReadonlySet<string> = new Set(),
  probe: (signal: AbortSignal) => Promise<void> = async () => {},
  stateOf: (name: string) => BackendState | undefined = (name) => (asleep.has(name) ? 'stopped' : undefined),
) {
  const asked: string[] = []
  const lines: string[] = []
  let byName = new Map<string, Upstream>()
  const upstreams: Pick<Upstreams, 'apply' | 'all' | 'get'> = {
    apply(configs) {
      byName = new Map(
        Object.entries(configs).map(([name, { models }]) => [name, byName.get(name) ?? upstreamOf(name, models)]),
      )
    },
    all: () => [...byName.values()],
    get: (name) => byName.get(name),
  }
  function upstreamOf(name: string, models: readonly string[] | undefined): Upstream {
    return {
      name,
      provider: isProvider(name) ? name : 'custom',
      table: 'upstreams',
      baseUrl: `http://${name}`,
      configuredModels: models ?? null,
      prices: new Map(),
      lists: openAiChat,
      addVersion: null,
      gradeOrigins: () => ({}),
      redactor: null,
      isSet: () => false,
      learn: () => {},
      ask: async (path, signal) => {
        if (path === PROBE.path) await probe(signal)
        else asked.push(name)
        return answerOf(says[name])
      },
    } as Partial<Upstream> as Upstream
  }
  const parse = (value: object) => configSchema.parse({ discovery: { enabled: false }, ...value })
  const directory = createDirectory(
    {
      upstreams: upstreams as Upstreams,
      health: {
        order: (targets) => targets,
        succeeded: () => {},
        failed: () => {},
        undecided: () => {},
        latencyMs: () => 0,
        begins: () => {},
        ends: () => {},
        load: () => 0,
        report: () => ({ isWell: true, restMs: 0, latencyMs: 0, inFlight: 0 }),
      },
      log: (_level, message, { model } = {}) => void lines.push(`${model}: ${message}`),
      now: () => 0,
      random: () => 0,
      isAsleep: (name) => asleep.has(name),
      backendState: stateOf,
      listingOf: () => openAiChat,
      probes: [PROBE],
    },
    parse(config),
  )
  const ids = () =>
    directory
      .routes()
      .list()
      .map(({ id }) => id)
      .toSorted()
  return { directory, asked, lines, ids, apply: (next: object) => directory.apply(parse(next)) }
}

function answerOf(said: readonly string[] | Error | undefined): Answer {
  if (said instanceof Error) throw said
  const list = { data: (said ?? []).map((id) => ({ id })) }
  async function* text() {
    yield Buffer.from(JSON.stringify(list))
  }
  return { ok: true, status: 200, body: Object.assign(text(), { cancel: async () => {} }) }
}

const custom = (models?: readonly string[]) => ({
  provider: 'custom',
  base_url: 'http://x/v1',
  ...(models && { models }),
})

test('models that are configured are there at once, and their upstream is not asked', async () => {
  const h = harness({ upstreams: { a: custom(['m']) } }, {})
  expect(h.ids()).toContain('m')
  await h.directory.refresh()
  expect(h.asked).toEqual([])
  expect(h.directory.status()).toMatchObject([{ name: 'a', state: 'ready', models_count: 1 }])
})

test('others are known when their upstream was asked, and stay while it is down', async () => {
  const says: Says = { a: ['m'] }
  const h = harness({ upstreams: { a: custom() } }, says)
  expect(h.ids()).not.toContain('m')
  await h.directory.refresh()
  expect(h.ids()).toContain('m')
  says['a'] = new Error('down')
  h.apply({ upstreams: { a: custom(), b: custom(['n']) } })
  expect(h.ids()).toEqual(expect.arrayContaining(['m', 'n']))
})

test('an upstream that cannot be asked says why in its status, and the others are there', async () => {
  const h = harness({ upstreams: { a: custom(), b: custom() } }, { a: new Error('no route'), b: ['n'] })
  await h.directory.refresh()
  expect(h.ids()).toContain('n')
  expect(h.directory.status()).toMatchObject([
    { name: 'a', state: 'down', last_error: 'no route' },
    { name: 'b', state: 'ready' },
  ])
})

test('one that is asleep is not woken by the question', async () => {
  const h = harness({ upstreams: { a: custom() } }, { a: ['m'] }, new Set(['a']))
  await h.directory.refresh()
  expect(h.asked).toEqual([])
  expect(h.directory.status()).toMatchObject([{ name: 'a', state: 'stopped' }])
})

test('what leaves the configuration leaves the routes at once', () => {
  const h = harness({ upstreams: { a: custom(['m']), b: custom(['n']) } }, {})
  h.apply({ upstreams: { b: custom(['n']) } })
  expect(h.ids()).not.toContain('m')
})

test('looks never overlap, and none begins after the stop', async () => {
  const h = harness({ upstreams: { a: custom() } }, { a: ['m'] })
  await Promise.all([h.directory.refresh(), h.directory.refresh()])
  expect(h.asked).toEqual(['a'])
  await h.directory.stop()
  h.apply({ upstreams: { a: custom(), b: custom() } })
  await h.directory.refresh()
  expect(h.asked).toEqual(['a'])
})

test('prices: of the operator, of the list, of the table; engines cost nothing; others are not known, said once', () => {
  const upstreams = {
    openai: { provider: 'openai', models: ['gpt-4.1', 'new'] },
    vllm: { provider: 'vllm', models: ['qwen'] },
    shop: custom(['thing']),
  }
  const { directory, lines } = harness({ upstreams }, {})
  const priceOf = (upstream: string, model: string) => directory.priceOf({ upstream, model, weight: 1 } as Target)
  expect(priceOf('openai', 'gpt-4.1')).toMatchObject({ input: 2_000_000, output: 8_000_000, cacheRead: 500_000 })
  expect(priceOf('vllm', 'qwen')).toEqual({ input: 0, output: 0 })
  expect(lines).toEqual([])
  for (let i = 0; i < 3; i++) expect([priceOf('openai', 'new'), priceOf('shop', 'thing')]).toEqual([null, null])
  expect(lines).toEqual([
    'new: the price of this model is not known and counts as 0; set prices of its upstream',
    'thing: the price of this model is not known and counts as 0; set prices of its upstream',
  ])
})

test('an engine that does not say what it speaks holds up no look, and is asked once at a time', async () => {
  const vllm = { provider: 'vllm', base_url: 'http://x/v1' }
  let probed = 0
  const h = harness({ upstreams: { vllm } }, { vllm: ['m'], a: ['n'], b: ['o'] }, new Set(), (signal) => {
    probed += 1
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  await h.directory.refresh()
  for (const upstreams of [
    { vllm, a: custom() },
    { vllm, a: custom(), b: custom() },
  ]) {
    h.apply({ upstreams })
    await h.directory.refresh()
  }
  expect(h.ids()).toEqual(expect.arrayContaining(['m', 'n', 'o']))
  await h.directory.stop()
  expect(probed).toBe(1)
})

test('a category asks what is loaded at the moment', () => {
  const states: Record<string, BackendState> = { a: 'cold', b: 'ready' }
  const models = {
    small: { targets: [{ upstream: 'a' }], category: 'local' },
    large: { targets: [{ upstream: 'b' }], category: 'local' },
  }
  const config = { upstreams: { a: custom(['small']), b: custom(['large']) }, models }
  const { directory } = harness(config, {}, new Set(['a', 'b']), undefined, (name) => states[name])
  const first = () => directory.routes().targetsOf('local')[0]?.upstream
  expect(first()).toBe('b')
  Object.assign(states, { a: 'ready', b: 'cold' })
  expect(first()).toBe('a')
})
