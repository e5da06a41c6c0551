// Both versions of Anthropic's API: from clients, and to an upstream that refuses what the newer one has no more.
import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { type FakeUpstream, sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'

type Block = { readonly type: string; readonly citations?: unknown }
type Asked = {
  readonly messages: readonly { readonly role: string; readonly content: string | readonly Block[] }[]
  readonly [field: string]: unknown
}

/** What the version of 2026-10-21 answers with 400. */
function refusedIn({ messages, ...asked }: Asked): readonly string[] {
  const blocks = messages.flatMap(({ role, content }) =>
    typeof content === 'string' ? [] : content.map((block) => ({ ...block, role })),
  )
  return [
    ...['temperature', 'top_p', 'top_k'].filter((name) => name in asked),
    ...(blocks.some(({ role, type }) => role === 'assistant' && type === 'document') ? ['document'] : []),
    ...(blocks.some(({ role, citations }) => role === 'user' && Array.isArray(citations)) ? ['citations'] : []),
  ]
}

let messages: FakeUpstream
let chat: FakeUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  messages = await startFakeUpstream(({ body, headers }, response) => {
    const isNew = headers['anthropic-version'] === '2026-10-21'
    const problems = isNew ? refusedIn(JSON.parse(body)) : []
    if (problems.length > 0)
      return sendJson(response, 400, {
        type: 'error',
        error: { type: 'invalid_request_error', message: problems.join() },
      })
    sendJson(response, 200, {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [{ type: 'text', text: 'Hi' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 1 },
    })
  })
  chat = await startFakeUpstream((_, response) => {
    sendJson(response, 200, {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model: 'gpt',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
    })
  })
  gate = await startDataPlane({
    upstreams: {
      anthropic: { provider: 'anthropic', base_url: messages.url, api_key: 'sk-up', models: ['claude'] },
      openai: { provider: 'openai', base_url: chat.url, models: ['gpt'] },
    },
  })
})
afterAll(async () => {
  await gate.stop()
  await messages.close()
  await chat.close()
})

const SAMPLING = { temperature: 0.5, top_p: 0.9, top_k: 5 }

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const sent = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers }
  const answer = await fetch(gate.url + path, { method: 'POST', headers: sent, body: JSON.stringify(body) })
  return { status: answer.status, dropped: answer.headers.get('x-gate-dropped') ?? '', text: await answer.text() }
}

test.each([
  { version: '2023-06-01', upstream: 'claude', status: 200 },
  { version: '2026-10-21', upstream: 'claude', status: 400 }, // the upstream's own word on it
  { version: '2023-06-01', upstream: 'gpt', status: 200 },
  { version: '2026-10-21', upstream: 'gpt', status: 200 },
])('a client of $version that samples, at $upstream', async ({ version, upstream, status }) => {
  const said = { model: upstream, max_tokens: 5, messages: [{ role: 'user', content: 'hi' }], ...SAMPLING }
  const answer = await post('/v1/messages', said, { 'anthropic-version': version })
  expect(answer.status).toBe(status)
  if (upstream === 'gpt')
    expect(JSON.parse(chat.seen.at(-1)?.body ?? '')).toMatchObject({ temperature: 0.5, top_p: 0.9 })
  else
    expect(messages.seen.at(-1)).toMatchObject({
      body: JSON.stringify(said),
      headers: { 'anthropic-version': version },
    })
})

test.each(['2023-06-01', '2026-10-21'])(
  'the SDK with %s gets an answer of its kind from any upstream',
  async (version) => {
    const client = new Anthropic({
      apiKey: KEY,
      baseURL: gate.url,
      maxRetries: 0,
      defaultHeaders: { 'anthropic-version': version },
    })
    const params = { max_tokens: 5, messages: [{ role: 'user' as const, content: 'hi' }] }
    for (const model of ['claude', 'gpt']) {
      const answer = await client.messages.create({ model, ...params })
      expect(answer).toMatchObject({ type: 'message', content: [{ type: 'text', text: 'Hi' }] })
      expect(answer.id).toMatch(/^msg_/)
    }
  },
)

const PDF = 'JVBERi0xLjQK'
test.each([
  {
    client: 'chat completions',
    path: '/v1/chat/completions',
    body: { model: 'claude', messages: [{ role: 'user', content: 'hi' }], ...SAMPLING },
    dropped: ['temperature', 'top_p', 'top_k'],
  },
  {
    client: 'responses',
    path: '/v1/responses',
    body: { model: 'claude', input: 'hi', temperature: 0.5, top_p: 0.9 },
    dropped: ['temperature', 'top_p'],
  },
  {
    client: 'Google, whose model made a document',
    path: '/v1beta/models/claude:generateContent',
    body: {
      contents: [
        { role: 'user', parts: [{ text: 'hi' }] },
        { role: 'model', parts: [{ text: 'here' }, { inlineData: { mimeType: 'application/pdf', data: PDF } }] },
        { role: 'user', parts: [{ text: 'more' }] },
      ],
      generationConfig: { temperature: 0.5, topP: 0.9, topK: 5 },
    },
    dropped: ['generationConfig.temperature', 'generationConfig.topP', 'generationConfig.topK', 'contents'],
  },
  {
    client: 'Ollama',
    path: '/api/chat',
    body: {
      model: 'claude',
      stream: false,
      messages: [{ role: 'user', content: 'hi' }],
      options: SAMPLING,
    },
    dropped: ['options.temperature', 'options.top_p', 'options.top_k'],
  },
])('clients of $client send nothing that the version of Gate refuses', async ({ path, body, dropped }) => {
  const answer = await post(path, body)
  expect(answer.status, answer.text).toBe(200)
  const seen = messages.seen.at(-1)
  expect(seen?.headers['anthropic-version']).toBe('2026-10-21')
  expect(refusedIn(JSON.parse(seen?.body ?? ''))).toEqual([])
  expect(answer.dropped.split(', ').toSorted()).toEqual(dropped.toSorted())
})
