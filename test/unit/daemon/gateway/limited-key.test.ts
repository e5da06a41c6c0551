// A key for some models: on every route, in every dialect, the others are not there for it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { type FakeUpstream, sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'

let upstream: FakeUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>
let limited = ''
const bodies: Record<string, unknown>[] = []

beforeAll(async () => {
  upstream = await startFakeUpstream(({ body }, response) => {
    bodies.push(JSON.parse(body))
    const message = { role: 'assistant', content: 'hi' }
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    sendJson(response, 200, { id: 'a', object: 'chat.completion', created: 1, model: 'm', choices, usage })
  })
  gate = await startDataPlane({
    upstreams: {
      local: { provider: 'echo', models: ['small', 'other'] },
      cloud: { provider: 'echo', models: ['big'] },
      router: { provider: 'openrouter', base_url: upstream.url, api_key: 'k', models: ['one', 'two'] },
    },
    models: {
      coder: { targets: [{ upstream: 'cloud', model: 'big' }], category: 'code' },
      writer: { targets: [{ upstream: 'cloud', model: 'big' }], category: 'prose' },
    },
  })
  const allowed = { models: ['small', 'router/one'], categories: ['code'] }
  limited = gate.tokens.create('limited', ['chat:write'], null, allowed).token
})
afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

async function ask(path: string, body: object | null, key = limited, headers: Record<string, string> = {}) {
  const answer = await fetch(gate.url + path, {
    method: body === null ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    ...(body !== null && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, text: await answer.text() }
}

const version = { 'anthropic-version': '2023-06-01' }
const messages = [{ role: 'user', content: 'hello' }]
const contents = [{ role: 'user', parts: [{ text: 'hello' }] }]

/** What asks for a model, by dialect and route. */
const requests: readonly { path: string; body: (model: string) => object | null; headers?: Record<string, string> }[] =
  [
    { path: '/v1/chat/completions', body: (model) => ({ model, messages }) },
    { path: '/v1/messages', body: (model) => ({ model, messages, max_tokens: 9 }), headers: version },
    { path: '/v1/messages/count_tokens', body: (model) => ({ model, messages }), headers: version },
    { path: '/v1/responses', body: (model) => ({ model, input: 'hello' }) },
    { path: '/v1/responses/input_tokens', body: (model) => ({ model, input: 'hello' }) },
    { path: '/v1/responses/compact', body: (model) => ({ model, input: 'hello' }) },
    { path: '/v1beta/models/MODEL:generateContent', body: () => ({ contents }) },
    { path: '/v1beta/models/MODEL:streamGenerateContent?alt=sse', body: () => ({ contents }) },
    { path: '/v1beta/models/MODEL:countTokens', body: () => ({ contents }) },
    { path: '/v1beta/models/MODEL', body: () => null },
    { path: '/api/chat', body: (model) => ({ model, messages, stream: false }) },
    { path: '/api/generate', body: (model) => ({ model, prompt: 'hello', stream: false }) },
    { path: '/api/show', body: (model) => ({ model }) },
    { path: '/v1/models/MODEL', body: () => null },
    { path: '/v1/models/MODEL', body: () => null, headers: version },
    { path: '/v1/completions', body: (model) => ({ model, prompt: 'hello' }) },
    { path: '/v1/embeddings', body: (model) => ({ model, input: 'hello' }) },
    { path: '/api/embed', body: (model) => ({ model, input: 'hello' }) },
    { path: '/v1/moderations', body: (model) => ({ model, input: 'hello' }) },
    { path: '/v1/rerank', body: (model) => ({ model, query: 'hello', documents: ['a'] }) },
    { path: '/v1/audio/speech', body: (model) => ({ model, input: 'hello', voice: 'a' }) },
    { path: '/v1/images/generations', body: (model) => ({ model, prompt: 'hello' }) },
  ]

test.each(requests)('$path: models that the key may not use are not found, and nobody is asked', async (request) => {
  const { path, body, headers } = request
  const rows = gate.rows.length
  for (const model of ['writer', 'big', 'other', 'prose']) {
    const refused = await ask(path.replace('MODEL', model), body(model), limited, headers)
    expect(refused).toMatchObject({ status: 404 })
    expect(refused.text).toMatch(/no model .* that this key may use/)
    expect(refused.text).not.toMatch(/did you mean/)
  }
  expect(gate.rows).toHaveLength(rows)
  for (const [model, key] of [
    ['writer', KEY],
    ['small', limited],
    ['coder', limited],
  ] as const)
    expect((await ask(path.replace('MODEL', model), body(model), key, headers)).text).not.toMatch(/no model/)
})

test('each dialect says so in its own words', async () => {
  const chat = await ask('/v1/chat/completions', { model: 'big', messages })
  expect(JSON.parse(chat.text)).toMatchObject({ error: { code: 'model_not_found', param: 'model' } })
  const anthropic = await ask('/v1/messages', { model: 'big', messages, max_tokens: 9 }, limited, version)
  expect(JSON.parse(anthropic.text)).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
  const google = await ask('/v1beta/models/big:generateContent', { contents })
  expect(JSON.parse(google.text)).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } })
  const ollama = await ask('/api/chat', { model: 'big', messages })
  expect(JSON.parse(ollama.text)).toEqual({ error: expect.stringMatching(/no model/) })
})

test.each([
  { path: '/v1/models', headers: {} },
  { path: '/v1/models', headers: version },
  { path: '/v1beta/models', headers: {} },
  { path: '/api/tags', headers: {} },
])('$path lists what the key may use', async ({ path, headers }) => {
  const namesIn = (text: string) =>
    ['coder', 'code', 'writer', 'prose', 'small', 'other', 'big', 'one', 'two'].filter((name) =>
      new RegExp(`"(?:models/)?${name}(?::latest)?"`).test(text),
    )
  const own = await ask(path, null, limited, headers)
  expect(own.status).toBe(200)
  expect(namesIn(own.text)).toEqual(['coder', 'code', 'small', 'one'])
  expect(namesIn((await ask(path, null, KEY, headers)).text)).toContain('two')
})

test('a follow-up of a kept response asks for a model as any', async () => {
  const made = JSON.parse((await ask('/v1/responses', { model: 'small', input: 'hello' })).text)
  const next = (model: string) => ask('/v1/responses', { model, input: 'more', previous_response_id: made.id })
  expect((await next('writer')).status).toBe(404)
  expect((await next('coder')).status).toBe(200)
})

test('a provider that routes by itself is told of no other model', async () => {
  const body = { model: 'one', messages, models: ['two'], preset: 'two', provider: { data_collection: 'deny' } }
  expect((await ask('/v1/chat/completions', body)).status).toBe(200)
  expect(bodies.at(-1)).toEqual({ model: 'one', messages, provider: { data_collection: 'deny' } })
  expect((await ask('/v1/chat/completions', body, KEY)).status).toBe(200)
  expect(bodies.at(-1)).toMatchObject({ models: ['two'], preset: 'two' })
})

test('every route that takes a model is in the table', () => {
  const tried = new Set(requests.map(({ path }) => path.replace(/\?.*/, '')))
  const routes = DIALECTS.all
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ method, does }) => method === 'POST' && does !== 'object' && does !== 'kept' && does !== 'say')
    .map(({ path }) => path.replace(/\{[^}]*\}/, 'MODEL'))
  // another input or another form of an answer of a route above
  expect(routes.filter((path) => !tried.has(path)).toSorted()).toMatchInlineSnapshot(`
    [
      "/api/embeddings",
      "/v1/audio/transcriptions",
      "/v1/audio/translations",
      "/v1/images/edits",
      "/v1/images/variations",
      "/v1/models/MODEL:batchEmbedContents",
      "/v1/models/MODEL:countTokens",
      "/v1/models/MODEL:embedContent",
      "/v1/models/MODEL:generateContent",
      "/v1/models/MODEL:streamGenerateContent",
      "/v1/models/MODEL:streamGenerateContent",
      "/v1beta/models/MODEL:batchEmbedContents",
      "/v1beta/models/MODEL:embedContent",
    ]
  `)
})
