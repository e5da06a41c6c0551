// Official clients, unmodified, in front of upstreams of every dialect that refuse what the SDKs' types do not allow:
// `npm test` runs each client with each upstream, and each of the features with some; `npm run test:long` all with all.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ask, type Client, type Failure, failureOf } from '../clients/client.ts'
import { CLIENTS } from '../clients/clients.ts'
import { HAS_CLIENTS, NEEDS_CLIENTS } from '../clients/installed.ts'
import { until } from '../support/daemon.ts'
import { KEY, startDataPlane } from '../support/data-plane.ts'
import { isLong } from '../support/effort.ts'
import { anthropic } from '../upstreams/anthropic.ts'
import { google } from '../upstreams/google.ts'
import { ollama } from '../upstreams/ollama.ts'
import { openaiChat } from '../upstreams/openai-chat.ts'
import { openaiResponses } from '../upstreams/openai-responses.ts'
import {
  RETRY_AFTER_S,
  startUpstream,
  THOUGHT,
  type Upstream,
  type UpstreamDialect,
  USAGE,
} from '../upstreams/upstream.ts'

const DIALECTS: readonly UpstreamDialect[] = [openaiChat, openaiResponses, anthropic, google, ollama]

let gate: Awaited<ReturnType<typeof startDataPlane>>
let upstreams: readonly Upstream[] = []

beforeAll(async () => {
  upstreams = await Promise.all(DIALECTS.map(startUpstream))
  const families = [...new Set(CLIENTS.map(({ family }) => family))]
  const config = {
    upstreams: Object.fromEntries(
      upstreams.map(({ dialect: { name, provider, model, dialects }, url }) => [
        name,
        { provider, dialects, base_url: url, models: [model], api_key: 'key-of-the-upstream' },
      ]),
    ),
    models: Object.fromEntries(
      upstreams.flatMap(({ dialect: { name, model } }) =>
        families.map((family) => [modelName(family, name), { targets: [{ upstream: name, model }] }]),
      ),
    ),
  }
  gate = await startDataPlane(config)
})
afterAll(async () => {
  await gate?.stop()
  for (const upstream of upstreams) await upstream.close()
})

const modelName = (family: Client['family'], upstream: string) => `${family}-on-${upstream}`

/** One client in front of one upstream. */
type Pair = {
  readonly client: Client
  readonly upstream: Upstream
  readonly stream: boolean
  readonly ask: (ask: Pick<Ask, 'question'> & Partial<Ask>) => ReturnType<Client['ask']>
}

type Feature = {
  readonly name: string
  /** Whole, streamed, or both. */
  readonly streams: readonly boolean[]
  readonly check: (pair: Pair) => Promise<void>
  /** Of each request, as it is metered; `ok` when left out. */
  readonly outcome?: 'refused' | 'truncated' | 'cancelled'
}

const RED_DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const usage = { input: USAGE.input, output: USAGE.output }
const calls = { text: '4 and 19', cities: ['Oslo', 'Rome'], usage }

const FEATURES: readonly Feature[] = [
  {
    name: 'a question',
    streams: [false, true],
    check: async ({ ask }) =>
      expect(await ask({ question: 'Who are you?' })).toMatchObject({ text: 'Hello there.', cities: [], usage }),
  },
  {
    name: 'two calls at once, and their results',
    streams: [false, true],
    check: async ({ ask }) => expect(await ask({ question: 'Oslo and Rome?', wants: 'weather' })).toMatchObject(calls),
  },
  {
    name: 'thinking over two turns',
    streams: [false, true],
    async check({ ask, client: { ways = {} }, upstream, stream }) {
      const thought = ways.hidesThoughts === true ? '' : THOUGHT + THOUGHT
      expect(await ask({ question: 'Oslo and Rome?', wants: 'thinking' })).toEqual({ ...calls, thought })
      const isForgotten = ways.forgets?.(upstream.dialect.name, stream) === true
      expect(upstream.asked.at(-1)).toMatchObject({ results: 2, hasThought: !isForgotten })
    },
  },
  {
    name: 'an image',
    streams: [false, true],
    check: async ({ ask }) =>
      expect(await ask({ question: 'What is it?', image: RED_DOT })).toMatchObject({ text: 'A red dot.', usage }),
  },
  {
    name: 'an answer of a schema',
    streams: [false, true],
    check: async ({ ask }) =>
      expect(await ask({ question: 'How cold?', wants: 'schema' })).toMatchObject({ text: '{"degrees":4}', usage }),
  },
  {
    name: 'an aborted stream, which ends at the upstream too',
    streams: [true],
    async check({ ask, upstream }) {
      const abort = new AbortController()
      const hear = () => abort.abort()
      await ask({ question: 'go on for ever', signal: abort.signal, hear }).catch(() => {})
      await until(() => upstream.seen.at(-1)?.aborted === true)
    },
    outcome: 'cancelled',
  },
  {
    name: '429',
    streams: [false, true],
    async check({ ask, client: { ways } }) {
      const failure = await failureTo(ask({ question: 'too often' }))
      const retryAfter = ways?.hidesRetryAfter === true ? null : String(RETRY_AFTER_S)
      expect(failure).toMatchObject({ status: 429, retryAfter, text: expect.stringContaining('slower') })
    },
    outcome: 'refused',
  },
  {
    name: '500',
    streams: [false, true],
    check: async ({ ask }) =>
      expect(await failureTo(ask({ question: 'broken' }))).toMatchObject({
        status: 500,
        text: expect.stringContaining('no memory'),
      }),
    outcome: 'refused',
  },
  {
    name: 'an error in a stream',
    streams: [true],
    async check({ ask, client: { ways } }) {
      const asking = ask({ question: 'this fails later' })
      if (ways?.ofFailedStream === null) expect(await asking).toMatchObject({ usage: null })
      else expect((await failureTo(asking)).text).toContain(ways?.ofFailedStream ?? 'out of memory')
    },
    outcome: 'truncated',
  },
]

/** What one provider thought, signed or not, is nothing that another could refuse a conversation over. */
const goesOn = (further: number): Feature => ({
  name: `a conversation that goes on with the upstream ${further} further`,
  streams: [false, true],
  async check({ ask, client, upstream }) {
    const at = DIALECTS.indexOf(upstream.dialect) + further
    const { name = '' } = DIALECTS[at % DIALECTS.length] ?? {}
    const then = { model: modelName(client.family, name), question: 'Is that cold?' }
    expect(await ask({ question: 'Oslo and Rome?', wants: 'thinking', then })).toMatchObject(calls)
    expect(upstreams[at % DIALECTS.length]?.asked.at(-1)?.question).toContain('Is that cold?')
  },
})
const ALL_FEATURES = [...FEATURES, ...[1, 2, 3, 4].map(goesOn)]

async function failureTo(asking: Promise<unknown>): Promise<Failure> {
  const error = await asking.then(
    () => new Error('it was answered'),
    (one: unknown) => one,
  )
  return failureOf(error)
}

const ROWS = CLIENTS.flatMap((client, c) =>
  DIALECTS.flatMap((dialect, d) =>
    ALL_FEATURES.flatMap((feature, f) =>
      feature.streams
        .filter((stream) => isLong || isSampled(c, d, f, stream))
        .map((stream) => ({ client, dialect, feature, stream, how: stream ? 'streamed' : 'whole' })),
    ),
  ),
)

/** Each client with each upstream: a question and calls, one of them streamed; of the rest a fifth. */
function isSampled(client: number, dialect: number, feature: number, stream: boolean): boolean {
  if (feature < 2) return stream === ((client + dialect + feature) % 2 === 0)
  return (client + dialect + feature) % 5 === 0
}

describe.skipIf(!HAS_CLIENTS)(`official clients${NEEDS_CLIENTS}`, () => {
  test.each(ROWS)(
    '$client.name to $dialect.name: $feature.name, $how',
    async ({ client, dialect, feature, stream }) => {
      const upstream = upstreams.find((one) => one.dialect === dialect)
      if (upstream === undefined) throw new Error(`no upstream ${dialect.name}`)
      const place = { url: gate.url, key: KEY, model: modelName(client.family, dialect.name), stream }
      const requests = () => upstreams.reduce((sum, { seen }) => sum + seen.length, 0)
      const [rows, before] = [gate.rows.length, requests()]
      await feature.check({ client, upstream, stream, ask: (ask) => client.ask({ ...place, ...ask }) })
      await until(() => gate.rows.length - rows === requests() - before)
      const { outcome = 'ok' } = feature
      const metered = { inputTokens: usage.input, outputTokens: usage.output, estimated: false }
      for (const row of gate.rows.slice(rows)) expect(row).toMatchObject({ outcome, ...(outcome === 'ok' && metered) })
    },
  )
})
