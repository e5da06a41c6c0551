import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { KEY, NO_BACKENDS, startDataPlane } from '../../../support/data-plane.ts'
import { type FakeUpstream, sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'

// Clients of every dialect that can ask for a count, in front of an engine that counts.

let engine: FakeUpstream
let plane: Awaited<ReturnType<typeof startDataPlane>>
let counts: boolean | string | null
let isAsleep: boolean
let paths: string[]

beforeAll(async () => {
  engine = await startFakeUpstream(({ path, body }, response) => {
    if (body === '{}') return sendJson(response, 404, { error: { message: 'no' } }) // the probe
    paths.push(path)
    if (counts === null) response.destroy()
    else if (typeof counts === 'string') response.end(counts)
    else if (counts) sendJson(response, 200, { input_tokens: 4_711, object: 'response.input_tokens' })
    else sendJson(response, 404, { error: { message: 'File Not Found', type: 'not_found_error', code: 404 } })
  })
  const at = { base_url: engine.url, models: ['mock'] }
  const own = { ...at, provider: 'llama-cpp', dialects: { anthropic: 'repair' } }
  plane = await startDataPlane(
    { upstreams: { llama: own, vllm: { ...at, provider: 'vllm' } } },
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

const few = { input_tokens: expect.any(Number) }
const ask = (model: string) => count('/v1/messages/count_tokens', { model, messages })

test('tokens are estimated where the engine does not count, or is not known to', async () => {
  counts = false
  const estimated = await ask('llama/mock')
  expect(estimated).toEqual(few)
  expect(estimated).not.toEqual({ input_tokens: 4_711 })
  expect(await ask('vllm/mock')).toEqual(estimated)
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
