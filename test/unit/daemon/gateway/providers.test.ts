import { afterAll, beforeAll, expect, test } from 'vitest'
import { isRefused } from '../../../../daemon/translate/openai-chat/providers.ts'
import { exampleBaseUrl, PROVIDERS, type Provider, providerRow } from '../../../../schemas/words/providers.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import {
  completion,
  type FakeUpstream,
  type Seen,
  sendJson,
  startFakeUpstream,
} from '../../../support/fake-upstream.ts'

// The request that leaves Gate for each provider, at one upstream that plays all of them: its path, the header with the
// key, and what becomes of fields that not all of them take.

const AWS_PAIR = 'AKIAIOSFODNN7EXAMPLE:a-secret-of-aws'
const keyOf = (name: Provider) => `key-of-${name}`

let upstream: FakeUpstream
let plane: Awaited<ReturnType<typeof startDataPlane>>

/** The base URL of a provider, with the upstream of this test as its host. */
function urlAt(origin: string, name: Provider): string {
  const { pathname } = new URL(exampleBaseUrl(name))
  return `${origin}${pathname === '/' ? '' : pathname}`
}

const OTHERS = PROVIDERS.filter((name) => name !== 'echo')

beforeAll(async () => {
  upstream = await startFakeUpstream(({ path }, response) => {
    if (path.includes('/messages')) sendJson(response, 200, MESSAGE)
    else if (path.includes('/responses')) sendJson(response, 200, RESPONSE)
    else sendJson(response, 200, completion('hi'))
  })
  const { origin } = new URL(upstream.url)
  const entries = OTHERS.map((provider) => {
    const models = ['m', ...(provider === 'openai' ? ['gpt-4o'] : [])]
    const entry = { provider, base_url: urlAt(origin, provider), models, api_key: keyOf(provider) }
    return [provider, entry] as const
  })
  const aws = { provider: 'bedrock', base_url: urlAt(origin, 'bedrock'), models: ['m'], api_key: AWS_PAIR }
  plane = await startDataPlane({ upstreams: { ...Object.fromEntries(entries), aws } })
})
afterAll(async () => {
  await plane?.stop()
  await upstream?.close()
})

const NOTHING: Pick<Seen, 'path' | 'headers' | 'body'> = { path: '', headers: {}, body: '' }

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 1 },
}

const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'm',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'hi', annotations: [] }],
    },
  ],
  usage: { input_tokens: 3, output_tokens: 1, total_tokens: 4 },
}

const post = (path: string, body: object) =>
  fetch(`${plane.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const CHAT = {
  messages: [
    { role: 'developer', content: 'be "role":"developer"' },
    { role: 'user', content: 'hello' },
  ],
  max_completion_tokens: 9,
  seed: 1,
  user: 'u',
  logit_bias: { 5: 1 },
  logprobs: true,
  n: 1,
  parallel_tool_calls: false,
}
/** Where a provider has another name for it. */
const RENAMED = new Set(['max_completion_tokens', 'seed'])
const asOpenAi = (name: Provider) => providerRow(name).dialects['openai-chat'] === 'native'

test.each(OTHERS.filter(asOpenAi))('%s gets chat completions as it takes them', async (name) => {
  const answer = await post('/v1/chat/completions', { model: `${name}/m`, ...CHAT })
  expect(answer.status, await answer.clone().text()).toBe(200)
  const { path, headers, body } = upstream.seen.at(-1) ?? NOTHING
  const { pathname } = new URL(exampleBaseUrl(name))
  expect(path).toBe(`${pathname === '/' ? '' : pathname}/chat/completions`)
  const { key, chat } = providerRow(name)
  const sent = key === 'api-key' ? headers['api-key'] : headers.authorization
  expect(sent).toBe(key === 'api-key' ? keyOf(name) : `Bearer ${keyOf(name)}`)
  expect(JSON.stringify(headers)).not.toContain(KEY)
  const request = JSON.parse(body)
  const isAsItCame = chat.limit === 'max_completion_tokens' || chat.usage === 'unknown'
  expect([request.max_completion_tokens, request.max_tokens]).toEqual(isAsItCame ? [9, undefined] : [undefined, 9])
  expect(request.messages[0]).toEqual({
    role: chat.hasDeveloper ? 'developer' : 'system',
    content: 'be "role":"developer"',
  })
  expect(Object.keys(request).filter((field) => isRefused(chat, field))).toEqual([])
  const dropped = Object.keys(CHAT).filter((field) => !RENAMED.has(field) && isRefused(chat, field))
  expect(answer.headers.get('x-gate-dropped')).toBe(dropped.length === 0 ? null : dropped.join(', '))
})

test('what is lost or wrong below the first level is told to the client', async () => {
  const ask = (message: object) => post('/v1/chat/completions', { model: 'anthropic/m', messages: [message] })
  const lossy = await ask({ role: 'user', name: 'ann', content: 'hi' })
  expect([lossy.status, lossy.headers.get('x-gate-dropped')]).toEqual([200, 'messages.name'])
  const wrong = await ask({ role: 'user', content: [{ type: 'text', text: 5 }] })
  const [param, what] = ['messages[0].content[0].text', 'must be a string']
  expect(wrong.status).toBe(400)
  expect(await wrong.json()).toMatchObject({ error: { param, message: `${param}: ${what}` } })
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`own_${i}`, 1]))
  const noted = await ask({ role: 'user', content: 'hi', ...many })
  expect(noted.headers.get('x-gate-dropped')).toMatch(/^messages\.own_0, .*messages\.own_19, \.\.\.$/)
})

const LINE = 'x-anthropic-billing-header: cc_version=2.1; cch=00000;'
const CLAUDE = {
  max_tokens: 9,
  system: [
    { type: 'text', text: LINE },
    { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } },
  ],
  messages: [{ role: 'user', content: 'hello' }],
}

const asAnthropic = (name: Provider) => providerRow(name).dialects.anthropic === 'native'

test.each(OTHERS.filter((name) => asOpenAi(name) || asAnthropic(name)))(
  '%s gets the messages of Claude Code, with its attribution line or without',
  async (name) => {
    const answer = await post('/v1/messages?beta=true', { model: `${name}/m`, ...CLAUDE })
    expect(answer.status, await answer.clone().text()).toBe(200)
    const { path, body } = upstream.seen.at(-1) ?? NOTHING
    expect(path.endsWith(asAnthropic(name) ? '/messages?beta=true' : '/chat/completions')).toBe(true)
    expect(body.includes(LINE)).toBe(name === 'anthropic' || name === 'peer')
    expect(body).toContain('Be brief.')
  },
)

test('an answer may be as long as the model allows, where that is known', async () => {
  for (const [model, most] of [
    ['openai/m', 32_000],
    ['openai/gpt-4o', 16_384],
  ] as const) {
    const answer = await post('/v1/messages', { model, ...CLAUDE, max_tokens: 32_000 })
    expect(answer.status, await answer.clone().text()).toBe(200)
    expect(JSON.parse((upstream.seen.at(-1) ?? NOTHING).body)).toMatchObject({ max_completion_tokens: most })
  }
})

const FORMAT = { type: 'json_schema', name: 'answer', schema: { type: 'object' } }
const RESPONSES_REQUEST = {
  input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://x.example/i.png', detail: 'low' }] }],
  store: true,
  include: ['reasoning.encrypted_content'],
  reasoning: { effort: 'low', summary: 'auto' },
  text: { format: FORMAT },
  tools: [{ type: 'function', name: 'look', parameters: { type: 'object' } }],
  tool_choice: { type: 'function', name: 'look' },
  prompt_cache_key: 'k',
}

test.each(['openrouter', 'deepseek', 'openai'] as const)('%s keeps responses only where it does', async (name) => {
  const answer = await post('/v1/responses', { model: `${name}/m`, ...RESPONSES_REQUEST })
  expect(answer.status, await answer.clone().text()).toBe(200)
  const { path, body } = upstream.seen.at(-1) ?? NOTHING
  expect(path.endsWith('/responses')).toBe(true)
  expect(JSON.parse(body)).toEqual({ ...RESPONSES_REQUEST, model: 'm', store: name === 'openai' })
})

test.each(['openrouter', 'deepseek'] as const)('%s is asked in chat to sum up a conversation', async (name) => {
  const answer = await post('/v1/responses/compact', { model: `${name}/m`, input: 'hi' })
  expect(await answer.json()).toMatchObject({ object: 'response.compaction' })
  expect(upstream.seen.at(-1)?.path).toMatch(/\/chat\/completions$/)
})

test('Perplexity gets responses without what it refuses', async () => {
  const answer = await post('/v1/responses', { model: 'perplexity/m', ...RESPONSES_REQUEST })
  expect(answer.status, await answer.clone().text()).toBe(200)
  const { path, body } = upstream.seen.at(-1) ?? NOTHING
  expect(path).toBe('/v1/responses')
  expect(JSON.parse(body)).toEqual({
    model: 'm',
    input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://x.example/i.png' }] }],
    store: false,
    reasoning: { effort: 'low' },
    tools: [{ type: 'function', name: 'look', parameters: { type: 'object', properties: {} }, strict: false }],
    tool_choice: { name: 'look' },
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } },
  })
})

test('a pair of AWS keys signs each request, and is not sent', async () => {
  expect((await post('/v1/chat/completions', { model: 'aws/m', ...CHAT })).status).toBe(200)
  const { headers } = upstream.seen.at(-1) ?? NOTHING
  expect(headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/us-east-1\/bedrock\/aws4_request, SignedHeaders=host;x-amz-date, Signature=[0-9a-f]{64}$/,
  )
  expect(JSON.stringify(headers)).not.toContain('a-secret-of-aws')
})
