// Vectors of texts, from clients of each dialect that has them to upstreams of each.
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { type FakeUpstream, sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'

const VECTORS = [
  [0.25, -1],
  [0.5, 2],
]
let upstream: FakeUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>
let saysUsage = true

beforeAll(async () => {
  upstream = await startFakeUpstream(({ path, body }, response) => {
    const asked = JSON.parse(body)
    const count = (asked.requests ?? [asked.input ?? asked.content ?? asked.prompt].flat()).length
    const vectors = VECTORS.slice(0, asked.input?.[0] === 'too few' ? 0 : count)
    if (path.includes(':embedContent')) return sendJson(response, 200, { embedding: { values: VECTORS[0] } })
    if (path.includes(':batchEmbed')) {
      return sendJson(response, 200, { embeddings: vectors.map((values) => ({ values })) })
    }
    if (path.endsWith('/embed')) {
      return sendJson(response, 200, { model: 'm', embeddings: vectors, ...(saysUsage && { prompt_eval_count: 7 }) })
    }
    const data = vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })).reverse()
    sendJson(response, 200, {
      object: 'list',
      data,
      model: 'm',
      ...(saysUsage && { usage: { prompt_tokens: 7, total_tokens: 7 } }),
    })
  })
  const base = upstream.url.replace('/v1', '')
  const targetsOf = (name: string) => ({ targets: [{ upstream: name, model: 'real' }] })
  gate = await startDataPlane({
    upstreams: {
      openai: {
        provider: 'openai',
        base_url: upstream.url,
        models: ['real'],
        system_prefix: 'not for vectors',
        parameters: [{ name: 'temperature', default: 1 }],
      },
      google: { provider: 'google', base_url: `${base}/v1beta`, models: ['real'] },
      ollama: { provider: 'ollama', base_url: `${base}/api`, models: ['real'] },
      claude: { provider: 'anthropic', base_url: upstream.url, models: ['real'] },
      echo: { provider: 'echo' },
    },
    models: {
      openai: targetsOf('openai'),
      google: targetsOf('google'),
      ollama: targetsOf('ollama'),
      claude: targetsOf('claude'),
    },
  })
})
afterAll(async () => {
  await gate.stop()
  await upstream.close()
})
beforeEach(() => {
  saysUsage = true
})

type Told = {
  readonly data?: readonly { readonly embedding: unknown }[]
  readonly embeddings?: readonly (object | { readonly values: unknown })[]
  readonly usage?: { readonly prompt_tokens: number }
}

async function ask(path: string, body: object) {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
  const answer = await fetch(gate.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: answer.status, dropped: answer.headers.get('x-gate-dropped'), body: (await answer.json()) as Told }
}

const requestsFor = (model: string) => [
  { path: '/v1/embeddings', body: { model, input: ['one', 'two'], dimensions: 2 } },
  { path: '/api/embed', body: { model, input: ['one', 'two'], dimensions: 2 } },
  {
    path: `/v1beta/models/${model}:batchEmbedContents`,
    body: {
      requests: ['one', 'two'].map((text) => ({
        model: `models/${model}`,
        content: { parts: [{ text }] },
        outputDimensionality: 2,
      })),
    },
  },
]
const SENT = {
  openai: { path: '/v1/embeddings', texts: { input: ['one', 'two'] } },
  google: { path: '/v1beta/models/real:batchEmbedContents', texts: { requests: [{ model: 'models/real' }, {}] } },
  ollama: { path: '/api/embed', texts: { input: ['one', 'two'] } },
}

test.each(Object.entries(SENT).flatMap(([model, sent]) => requestsFor(model).map((one) => ({ ...one, model, sent }))))(
  '$path at an upstream of $model',
  async ({ path, body, model, sent }) => {
    const answer = await ask(path, body)
    expect(answer.status).toBe(200)
    const seen = upstream.seen.at(-1)
    expect(seen?.path).toBe(sent.path)
    expect(JSON.parse(seen?.body ?? '')).toMatchObject(sent.texts)
    expect(seen?.body).not.toContain('not for vectors')
    expect(seen?.body).toMatch(/dimension\w*":2/i)
    const { data, embeddings } = answer.body
    const vectors = (data ?? embeddings ?? []).map((one) =>
      Array.isArray(one) ? one : 'values' in one ? one.values : 'embedding' in one ? one.embedding : one,
    )
    const isPassed = path === '/v1/embeddings' && model === 'openai'
    expect(isPassed ? vectors.toReversed() : vectors).toEqual(VECTORS)
    const isReported = model !== 'google'
    expect(gate.rows.at(-1)).toMatchObject({
      model,
      upstream: model,
      outcome: 'ok',
      outputTokens: 0,
      estimated: !isReported,
      ...(isReported && { inputTokens: 7 }),
    })
  },
)

test('what is not reported is counted, and clients are told the same as the ledger', async () => {
  saysUsage = false
  const { body } = await ask('/v1/embeddings', { model: 'ollama', input: 'a text of some length' })
  expect(body.usage?.prompt_tokens).toBeGreaterThan(3)
  expect(gate.rows.at(-1)).toMatchObject({ inputTokens: body.usage?.prompt_tokens, estimated: true })
})

test("one text by Google's and by Ollama's older method", async () => {
  const one = await ask('/v1beta/models/openai:embedContent', {
    content: { parts: [{ text: 'one' }] },
    taskType: 'QUERY',
  })
  expect(one).toMatchObject({ dropped: 'taskType', body: { embedding: { values: VECTORS[0] } } })
  const older = await ask('/api/embeddings', { model: 'google', prompt: 'one', keep_alive: '5m' })
  expect(older).toMatchObject({ dropped: 'keep_alive', body: { embedding: VECTORS[0] } })
  const native = await ask('/v1beta/models/google:embedContent', {
    model: 'models/google',
    content: { parts: [{ text: 'one' }] },
  })
  expect(native.body).toEqual({ embedding: { values: VECTORS[0] } })
  expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ model: 'models/real' })
})

test("OpenAI's SDK, which asks for packed numbers", async () => {
  const client = new OpenAI({ apiKey: KEY, baseURL: `${gate.url}/v1`, maxRetries: 0 })
  const { data } = await client.embeddings.create({ model: 'ollama', input: ['one', 'two'] })
  expect(data.map(({ embedding }) => embedding)).toEqual(VECTORS)
})

test.each([
  { why: 'Anthropic makes none', path: '/v1/embeddings', body: { model: 'claude', input: 'a' }, status: 400 },
  { why: 'tokens are of one model', path: '/v1/embeddings', body: { model: 'ollama', input: [1, 2] }, status: 400 },
  {
    why: 'a number that is none',
    path: '/api/embed',
    body: { model: 'openai', input: 'a', dimensions: 'x' },
    status: 400,
  },
  {
    why: 'vectors of several lengths',
    path: '/v1beta/models/openai:batchEmbedContents',
    body: {
      requests: [
        { content: { parts: [{ text: 'a' }] } },
        { content: { parts: [{ text: 'b' }] }, outputDimensionality: 2 },
      ],
    },
    status: 400,
  },
  { why: 'nothing is asked', path: '/api/embed', body: { model: 'openai' }, status: 400 },
  {
    why: 'a picture',
    path: '/v1beta/models/openai:embedContent',
    body: { content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }] } },
    status: 400,
  },
  { why: 'too few came back', path: '/v1/embeddings', body: { model: 'ollama', input: ['too few'] }, status: 502 },
])('refused: $why', async ({ path, body, status }) => {
  expect((await ask(path, body)).status).toBe(status)
})

test.each([
  { name: 'a text', input: 'one', vectors: 1 },
  { name: 'texts', input: ['one', 'two', 'one'], vectors: 3 },
  { name: 'tokens', input: [1, 2], vectors: 1 },
])('the echo makes vectors of $name, packed and not, the same for the same', async ({ input, vectors }) => {
  const client = new OpenAI({ apiKey: KEY, baseURL: `${gate.url}/v1`, maxRetries: 0 })
  const packed = await client.embeddings.create({ model: 'echo/echo', input, dimensions: 4 })
  const plain = await client.embeddings.create({ model: 'echo/echo', input, dimensions: 4, encoding_format: 'float' })
  expect(packed.data).toEqual(plain.data)
  expect(plain.data.map(({ embedding }) => embedding.length)).toEqual(Array(vectors).fill(4))
  for (const { embedding } of plain.data) expect(Math.hypot(...embedding)).toBeCloseTo(1)
  if (vectors === 3) expect(plain.data[0]?.embedding).toEqual(plain.data[2]?.embedding)
  expect(gate.rows.at(-1)).toMatchObject({ upstream: 'echo', outcome: 'ok', estimated: false })
})

test.each([
  { input: [] },
  { input: 7 },
  { input: 'a', dimensions: 0 },
  { input: Array(2_000).fill('a'), dimensions: 3_000 },
])('the echo says what it takes: %j', async (body) => {
  const answer = await ask('/v1/embeddings', { model: 'echo/echo', ...body })
  expect(answer.status).toBe(400)
  expect(JSON.stringify(answer.body)).toContain('embeddings of the echo need')
})

test('vectors of the echo in the form of Ollama', async () => {
  const { embeddings } = (await ask('/api/embed', { model: 'echo/echo', input: ['one', 'two'] })).body
  expect(embeddings).toHaveLength(2)
})

test('the echo makes nothing else of texts', async () => {
  expect(await ask('/v1/moderations', { model: 'echo/echo', input: 'one' })).toMatchObject({ status: 400 })
})
