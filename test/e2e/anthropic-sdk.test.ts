import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { KEY, startDataPlane } from '../support/data-plane.ts'
import { type FakeUpstream, STREAM_HEADERS, sendJson, startFakeUpstream } from '../support/fake-upstream.ts'
import { problemsOf } from '../wire/schemas.ts'

// Official clients, unmodified, in front of an upstream of the other dialect that refuses what its types do not allow.

type Asked = {
  readonly stream?: boolean
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
}

let chat: FakeUpstream
let messages: FakeUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>
let claude: Anthropic
let openai: OpenAI

beforeAll(async () => {
  chat = await startFakeUpstream(({ body }, response) => {
    const asked: Asked = JSON.parse(body)
    const problems = problemsOf('openai:ChatCompletionCreateParams', asked)
    if (problems.length > 0) return sendJson(response, 400, { error: { message: problems.join('; ') } })
    const said = JSON.stringify(asked.messages.at(-1)?.content)
    if (said.includes('too often')) {
      return sendJson(
        response,
        429,
        { error: { message: 'slower, please', type: 'x', code: null } },
        { 'retry-after': '7' },
      )
    }
    if (asked.stream !== true) return sendJson(response, 200, completion(asked))
    response.writeHead(200, STREAM_HEADERS)
    if (said.includes('for ever')) {
      response.write(chunk({ role: 'assistant', content: 'and ' }))
      return // until the client goes away
    }
    for (const delta of deltas(asked)) response.write(chunk(delta))
    response.end(`${chunk({}, 'stop')}${report}data: [DONE]\n\n`)
  })
  messages = await startFakeUpstream(({ body, headers, path }, response) => {
    const asked: Asked = JSON.parse(body)
    const isCount = path.startsWith('/v1/messages/count_tokens')
    const problems = [
      ...problemsOf(isCount ? 'anthropic:MessageCountTokensParams' : 'anthropic:MessageCreateParams', asked),
      ...(headers['x-api-key'] === 'sk-of-the-upstream' ? [] : ['no x-api-key']),
      ...(headers['anthropic-version'] === undefined ? ['no anthropic-version'] : []),
    ]
    if (problems.length > 0) {
      const error = { type: 'invalid_request_error', message: problems.join('; ') }
      return sendJson(response, 400, { type: 'error', error, request_id: null })
    }
    if (body.includes('overloaded')) {
      const error = { type: 'overloaded_error', message: 'Overloaded' }
      return sendJson(response, 529, { type: 'error', error, request_id: null })
    }
    if (isCount) return sendJson(response, 200, { input_tokens: 4_711 })
    if (asked.stream !== true)
      return sendJson(response, 200, message, { 'anthropic-ratelimit-requests-remaining': '9' })
    response.writeHead(200, STREAM_HEADERS)
    response.end(MESSAGE_EVENTS.map(([type, rest]) => event(type, rest)).join(''))
  })
  gate = await startDataPlane({
    upstreams: {
      openai: { provider: 'openai', base_url: chat.url, models: ['gpt'] },
      anthropic: { provider: 'anthropic', base_url: messages.url, models: ['claude'], api_key: 'sk-of-the-upstream' },
    },
    models: {
      either: {
        targets: [
          { upstream: 'anthropic', model: 'claude' },
          { upstream: 'openai', model: 'gpt' },
        ],
      },
    },
  })
  claude = new Anthropic({ authToken: KEY, apiKey: null, baseURL: gate.url, maxRetries: 0 })
  openai = new OpenAI({ apiKey: KEY, baseURL: `${gate.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gate?.stop()
  await chat?.close()
  await messages?.close()
})

const call = (id: string, city: string) => ({
  id,
  type: 'function',
  function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
})
const report = `data: ${JSON.stringify({ ...head(), choices: [], usage: { prompt_tokens: 21, completion_tokens: 9, total_tokens: 30 } })}\n\n`

function head() {
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt' }
}

function chunk(delta: object, reason: string | null = null): string {
  return `data: ${JSON.stringify({ ...head(), choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`
}

/** Two calls at once; once it has their results, a sentence. */
function completion({ messages: said }: Asked) {
  const isAnswered = said.some(({ role }) => role === 'tool')
  const rest = isAnswered
    ? { content: '4 and 19' }
    : { content: 'I look.', tool_calls: [call('a', 'Oslo'), call('b', 'Rome')] }
  return {
    ...head(),
    object: 'chat.completion',
    choices: [
      { index: 0, message: { role: 'assistant', refusal: null, ...rest }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 21, completion_tokens: 9, total_tokens: 30 },
  }
}

/** The same, the arguments in pieces. */
function deltas({ messages: said }: Asked): readonly object[] {
  if (said.some(({ role }) => role === 'tool')) return [{ role: 'assistant', content: '4 ' }, { content: 'and 19' }]
  const pieces = [call('a', 'Oslo'), call('b', 'Rome')].flatMap(
    ({ id, function: { name, arguments: json } }, index) => [
      { index, id, type: 'function', function: { name, arguments: '' } },
      { index, function: { arguments: json.slice(0, 5) } },
      { index, function: { arguments: json.slice(5) } },
    ],
  )
  return [{ role: 'assistant', content: 'I look.' }, ...pieces.map((piece) => ({ tool_calls: [piece] }))]
}

const usage = {
  cache_creation: null,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 12,
  inference_geo: null,
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: 'standard',
  speed: null,
  input_tokens: 9,
  output_tokens: 3,
}
const open = { stop_reason: null, stop_sequence: null, stop_details: null, container: null, diagnostics: null }
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'Hello', citations: null }],
  ...open,
  stop_reason: 'end_turn',
  usage,
}
const MESSAGE_EVENTS: readonly (readonly [string, object])[] = [
  ['message_start', { message: { ...message, content: [], ...open } }],
  ['content_block_start', { index: 0, content_block: { type: 'text', text: '', citations: null } }],
  ['ping', {}],
  ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hel' } }],
  ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'lo' } }],
  ['content_block_stop', { index: 0 }],
  ['message_delta', { delta: { ...open, stop_reason: 'end_turn' }, usage: { ...usage, output_tokens: 5 } }],
  ['message_stop', {}],
]
const event = (type: string, rest: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`

const tools: Anthropic.Tool[] = [
  {
    name: 'get_weather',
    description: 'weather of a city',
    input_schema: { type: 'object', properties: { city: { type: 'string' } } },
  },
]
const question = (content: string): Anthropic.MessageParam => ({ role: 'user', content })
const ask = (...said: Anthropic.MessageParam[]) => ({ model: 'gpt', max_tokens: 100, tools, messages: said })

const CALLS = [
  { type: 'text', text: 'I look.' },
  { type: 'tool_use', id: 'a', name: 'get_weather', input: { city: 'Oslo' } },
  { type: 'tool_use', id: 'b', name: 'get_weather', input: { city: 'Rome' } },
]

test('@anthropic-ai/sdk: two calls at once and their results, over a chat upstream', async () => {
  const first = await claude.messages.create(ask(question('Oslo and Rome?')))
  expect(first).toMatchObject({
    content: CALLS,
    stop_reason: 'tool_use',
    usage: { input_tokens: 21, output_tokens: 9 },
  })
  const results = ['a', 'b'].map(
    (id): Anthropic.ToolResultBlockParam => ({ type: 'tool_result', tool_use_id: id, content: '4' }),
  )
  const turn: Anthropic.MessageParam = { role: 'assistant', content: first.content as Anthropic.ContentBlockParam[] }
  const second = await claude.messages.create(ask(question('Oslo and Rome?'), turn, { role: 'user', content: results }))
  expect(second).toMatchObject({ content: [{ type: 'text', text: '4 and 19' }], stop_reason: 'end_turn' })
  expect(gate.rows.at(-1)).toMatchObject({ inputTokens: 21, outputTokens: 9, estimated: false, outcome: 'ok' })
})

test('@anthropic-ai/sdk: the same as a stream, arguments in pieces', async () => {
  const stream = claude.messages.stream(ask(question('Oslo and Rome?')))
  const types: string[] = []
  stream.on('streamEvent', ({ type }) => void types.push(type))
  const final = await stream.finalMessage()
  expect(final).toMatchObject({
    content: CALLS,
    stop_reason: 'tool_use',
    usage: { input_tokens: 21, output_tokens: 9 },
  })
  expect(types.filter((type) => type === 'message_start' || type === 'message_stop')).toEqual([
    'message_start',
    'message_stop',
  ])
  expect(gate.rows.at(-1)).toMatchObject({ inputTokens: 21, outputTokens: 9, estimated: false, outcome: 'ok' })
})

test('@anthropic-ai/sdk: an aborted stream ends at the upstream too, and is metered', async () => {
  const rows = gate.rows.length
  const stream = await claude.messages.create({ ...ask(question('go on for ever')), stream: true })
  for await (const one of stream) if (one.type === 'content_block_delta') stream.controller.abort()
  await until(async () => chat.seen.at(-1)?.aborted === true && gate.rows.length > rows, 5_000)
  expect(gate.rows.at(-1)).toMatchObject({ outcome: 'cancelled', outputTokens: 1, estimated: true })
})

test.each([
  {
    name: '429 of the upstream',
    model: 'gpt',
    said: 'too often',
    error: Anthropic.RateLimitError,
    type: 'rate_limit_error',
  },
  { name: 'an unknown model', model: 'gtp', said: 'x', error: Anthropic.NotFoundError, type: 'not_found_error' },
])('@anthropic-ai/sdk: $name is an error in its own words', async ({ model, said, error, type }) => {
  const refusal = await claude.messages.create({ ...ask(question(said)), model }).catch((e: unknown) => e)
  expect(refusal).toBeInstanceOf(error)
  expect(problemsOf('anthropic:ErrorResponse', (refusal as { error: unknown }).error)).toEqual([])
  expect(refusal).toMatchObject({ error: { type: 'error', error: { type } } })
})

test('@anthropic-ai/sdk: what cannot be passed on is named in a header, or refused', async () => {
  const thinking = { type: 'enabled', budget_tokens: 1_024 } as const
  const { response } = await claude.messages
    .create({ ...ask(question('x')), max_tokens: 2_000, thinking })
    .withResponse()
  expect(response.headers.get('x-gate-dropped')).toBe('thinking')
  const image = { type: 'image', source: { type: 'file', file_id: 'f1' } } as const
  const refusal = await claude.messages.create(ask({ role: 'user', content: [image] })).catch((e: unknown) => e)
  expect(refusal).toMatchObject({ status: 400, error: { error: { type: 'invalid_request_error' } } })
})

test('@anthropic-ai/sdk counts tokens: here for a chat upstream, there for an Anthropic one', async () => {
  const rows = gate.rows.length
  const { model, messages: said } = ask(question('Oslo and Rome?'))
  const counted = await claude.messages.countTokens({ model, tools, messages: said })
  expect(problemsOf('anthropic:MessageTokensCount', counted)).toEqual([])
  expect(counted.input_tokens).toBeGreaterThan(20)
  expect(gate.rows).toHaveLength(rows)
  expect(await claude.messages.countTokens({ model: 'claude', messages: said })).toEqual({ input_tokens: 4_711 })
  expect(messages.seen.at(-1)?.path).toBe('/v1/messages/count_tokens')
  expect(gate.rows.at(-1)).toMatchObject({ outcome: 'ok', inputTokens: 0, outputTokens: 0 })
})

test('@anthropic-ai/sdk lists models', async () => {
  const ids: string[] = []
  for await (const model of claude.models.list()) {
    expect(problemsOf('anthropic:ModelInfo', model)).toEqual([])
    ids.push(model.id)
  }
  expect(ids).toEqual(['either', 'gpt', 'claude'])
})

test('@anthropic-ai/sdk and an Anthropic upstream: bytes pass, whole and streamed', async () => {
  const body = { model: 'claude', max_tokens: 9, messages: [question('hi')] }
  const { data, response } = await claude.messages.create(body).withResponse()
  expect(data).toMatchObject(message)
  expect(response.headers.get('anthropic-ratelimit-requests-remaining')).toBeNull()
  expect(JSON.parse(messages.seen.at(-1)?.body ?? '')).toEqual(body)
  const final = await claude.messages.stream(body).finalMessage()
  expect(final).toMatchObject({ content: [{ text: 'Hello' }], stop_reason: 'end_turn' })
  expect(gate.rows.at(-1)).toMatchObject({ inputTokens: 21, outputTokens: 5, cachedTokens: 12, estimated: false })
})

test('openai and an Anthropic upstream: whole and streamed', async () => {
  const body = { model: 'claude', messages: [{ role: 'user' as const, content: 'hi' }] }
  const answer = await openai.chat.completions.create(body)
  expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'Hello' } })
  expect(answer.usage).toMatchObject({ prompt_tokens: 21, prompt_tokens_details: { cached_tokens: 12 } })
  const stream = openai.chat.completions.stream({ ...body, stream_options: { include_usage: true } })
  const final = await stream.finalChatCompletion()
  expect(final).toMatchObject({ choices: [{ message: { content: 'Hello' } }], usage: { completion_tokens: 5 } })
  expect(gate.rows.at(-1)).toMatchObject({ inputTokens: 21, outputTokens: 5, cachedTokens: 12, estimated: false })
})

test('a target that is overloaded, or cannot express what is asked, gives way to one of another dialect', async () => {
  const rows = gate.rows.length
  const final = await claude.messages.stream({ ...ask(question('overloaded?')), model: 'either' }).finalMessage()
  expect(final).toMatchObject({ content: CALLS, stop_reason: 'tool_use' })
  expect(gate.rows.slice(rows)).toMatchObject([
    { upstream: 'anthropic', status: 529, outcome: 'refused' },
    { upstream: 'openai', status: 200, outcome: 'ok' },
  ])
  const body = { model: 'either', messages: [{ role: 'user' as const, content: 'hi' }], n: 2 }
  expect((await openai.chat.completions.create(body)).choices[0]?.message.content).toBe('I look.')
  const refusal = await openai.chat.completions.create({ ...body, model: 'claude' }).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ status: 400, param: 'n' })
})
