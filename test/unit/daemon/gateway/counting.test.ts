import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { KEY, NO_BACKENDS, startDataPlane } from '../../../support/data-plane.ts'
import { type FakeUpstream, sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'

// Clients of every dialect that can ask for a count, in front of an engine that counts.

let engine: FakeUpstream
let plane: Awaited<ReturnType<typeof startDataPlane>>
let counts: boolean | string | null
let isAsleep: boolean
let paths: string[]
let asked: object

const INPUT_TOKENS = { input_tokens: 4_711, object: 'response.input_tokens' }
/** What is answered in another form. */
const SAID: Record<string, object> = {
  '/v1beta/models/mock:countTokens': { totalTokens: 4_711, promptTokensDetails: [] },
  '/tokenize': { count: 4_711, max_model_len: 8_192, tokens: [1, 2] },
  '/v1/tokenizers/estimate-token-count': { code: 0, data: { total_tokens: 4_711 }, status: true },
}
const COUNTING = ['openai', 'anthropic', 'google', 'moonshot', 'vllm', 'sglang', 'fireworks', 'ollama'] as const

beforeAll(async () => {
  engine = await startFakeUpstream(({ path, body }, response) => {
    if (body === '{}') return sendJson(response, 404, { error: { message: 'no' } }) // the probe
    paths.push(path)
    asked = JSON.parse(body)
    if (counts === null) response.destroy()
    else if (typeof counts === 'string') response.end(counts)
    else if (counts) sendJson(response, 200, path in SAID ? SAID[path] : INPUT_TOKENS)
    else sendJson(response, 404, { error: { message: 'File Not Found', type: 'not_found_error', code: 404 } })
  })
  const at = { base_url: engine.url, models: ['mock'] }
  const own = { ...at, provider: 'llama-cpp', dialects: { anthropic: 'repair' } }
  const google = engine.url.replace(/v1$/, 'v1beta')
  const others = COUNTING.map((provider) => [
    provider,
    { ...at, provider, api_key: 'sk', ...(provider === 'google' && { base_url: google }) },
  ])
  plane = await startDataPlane(
    { upstreams: { llama: own, ...Object.fromEntries(others) } },
    { parts: { backends: { ...NO_BACKENDS, isAsleep: () => isAsleep } } },
  )
})
beforeEach(() => {
  counts = true
  isAsleep = false
  paths = []
})
afterAll(async () => {
  await plane.stop()
  await engine.close()
})

async function count(path: string, body: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
  const answer = await fetch(`${plane.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(answer.status).toBe(200)
  return answer.json()
}

const messages = [{ role: 'user', content: 'hi' }]
const contents = [{ role: 'user', parts: [{ text: 'hi' }] }]
const CHAT = '/v1/chat/completions/input_tokens'

test.each([
  {
    path: '/v1/messages/count_tokens',
    body: { model: 'llama/mock', messages },
    answer: { input_tokens: 4_711 },
    asked: '/v1/messages/count_tokens',
  },
  {
    path: '/v1/messages/count_tokens',
    body: { model: 'llama/mock', messages, tool_choice: { type: 'none' } },
    answer: { input_tokens: 4_711 },
    asked: CHAT,
  },
  {
    path: '/v1/responses/input_tokens',
    body: { model: 'llama/mock', input: 'hi' },
    answer: { object: 'response.input_tokens', input_tokens: 4_711 },
    asked: CHAT,
  },
  {
    path: '/v1beta/models/llama/mock:countTokens',
    body: { contents },
    answer: { totalTokens: 4_711 },
    asked: CHAT,
  },
  {
    path: '/v1beta/models/llama/mock:countTokens',
    body: { generateContentRequest: { contents } },
    answer: { totalTokens: 4_711 },
    asked: CHAT,
  },
])('an engine counts at $asked for a client at $path', async ({ path, body, answer, asked }) => {
  expect(await count(path, body)).toMatchObject(answer)
  expect(paths).toEqual([asked])
})

const tools = [{ name: 'look', description: 'looks', input_schema: { type: 'object', properties: {} } }]
const asClaude = { messages, tools, system: 'be brief', max_tokens: 9, temperature: 0.5, stream: true }

test.each([
  { provider: 'openai', asked: '/v1/responses/input_tokens', fields: ['input', 'model', 'tools'] },
  { provider: 'google', asked: '/v1beta/models/mock:countTokens', fields: ['generateContentRequest'] },
  { provider: 'moonshot', asked: '/v1/tokenizers/estimate-token-count', fields: ['messages', 'model', 'tools'] },
  { provider: 'vllm', asked: '/tokenize', fields: ['messages', 'model', 'tools'] },
  { provider: 'sglang', asked: '/v1/messages/count_tokens' },
])('$provider counts at $asked for a client of Anthropic', async ({ provider, asked: path, fields }) => {
  const body = { model: `${provider}/mock`, ...asClaude }
  expect(await count('/v1/messages/count_tokens', body)).toEqual({ input_tokens: 4_711 })
  expect(paths).toEqual([path])
  if (fields !== undefined) expect(Object.keys(asked).toSorted()).toEqual(fields)
  const model = provider === 'google' ? 'models/mock' : 'mock'
  expect(JSON.stringify(asked)).toContain(`"model":"${model}"`)
})

test('Anthropic counts for a client of OpenAI, and is told nothing that it refuses there', async () => {
  const body = { model: 'anthropic/mock', input: 'hi', instructions: 'be brief', max_output_tokens: 9 }
  expect(await count('/v1/responses/input_tokens', body)).toMatchObject({ input_tokens: 4_711 })
  expect(paths).toEqual(['/v1/messages/count_tokens'])
  expect(Object.keys(asked).toSorted()).toEqual(['messages', 'model', 'system'])
})

test.each(['openai', 'anthropic', 'google'])(
  'bytes pass to %s, which has the route of its client',
  async (provider) => {
    const [path, body] = {
      openai: ['/v1/responses/input_tokens', { model: 'openai/mock', input: 'hi', extra: 1 }],
      anthropic: ['/v1/messages/count_tokens', { model: 'anthropic/mock', messages, extra: 1 }],
      google: ['/v1beta/models/google/mock:countTokens', { contents, extra: 1 }],
    }[provider] as [string, object]
    await count(path, body)
    expect(paths).toEqual([path.replace('google/', '')])
    expect(asked).toMatchObject({ extra: 1 })
  },
)

test('one that speaks the dialect of the client, but does not count, is not asked to', async () => {
  expect(await count('/v1/messages/count_tokens', { model: 'fireworks/mock', messages })).toEqual(few)
  expect(paths).toEqual([])
})

const few = { input_tokens: expect.any(Number) }
const ask = (model: string) => count('/v1/messages/count_tokens', { model, messages })

test('tokens are estimated where the engine does not count, or is not known to', async () => {
  counts = false
  const estimated = await ask('llama/mock')
  expect(estimated).toEqual(few)
  expect(estimated).not.toEqual({ input_tokens: 4_711 })
  expect(await ask('ollama/mock')).toEqual(estimated)
  expect(paths).toHaveLength(1)
})

test.each([null, '<html>', 'x'.repeat(70_000), '{"input_tokens":"4"}'])(
  'tokens are estimated where the engine breaks off or says nonsense (%#)',
  async (said) => {
    counts = false
    const estimated = await ask('llama/mock')
    counts = said
    expect(await ask('llama/mock')).toEqual(estimated)
  },
)

test('no engine is started to count', async () => {
  isAsleep = true
  expect(await ask('llama/mock')).toEqual(few)
  expect(paths).toEqual([])
})
