// Cursor: the body of a response, sent where chats are, which wants the answer of a chat.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import {
  completion,
  DONE,
  type FakeUpstream,
  STREAM_HEADERS,
  sendJson,
  startFakeUpstream,
} from '../../../support/fake-upstream.ts'
import { problemsOf } from '../../../wire/schemas.ts'

let chat: FakeUpstream
let messages: FakeUpstream
let sent: Record<string, unknown> = {}
let gate: Awaited<ReturnType<typeof startDataPlane>>

const frame = (value: object) => `data: ${JSON.stringify(value)}\n\n`
const delta = (said: object, reason: string | null = null) =>
  frame({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'gpt',
    choices: [{ index: 0, delta: said, finish_reason: reason }],
  })
const USAGE = frame({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt',
  choices: [],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
})

const QWEN = { upstream: 'vllm', model: 'qwen' }

beforeAll(async () => {
  chat = await startFakeUpstream(({ body }, response) => {
    sent = JSON.parse(body)
    if (sent['stream'] !== true) return sendJson(response, 200, completion('Hi'))
    response.writeHead(200, STREAM_HEADERS)
    response.end(delta({ role: 'assistant', content: 'Hi' }) + delta({}, 'stop') + USAGE + DONE)
  })
  messages = await startFakeUpstream(({ body }, response) => {
    sent = JSON.parse(body)
    sendJson(response, 200, {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'a' } }],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 1 },
    })
  })
  gate = await startDataPlane({
    upstreams: {
      openai: { provider: 'openai', base_url: chat.url, models: ['gpt'] },
      vllm: { provider: 'vllm', base_url: chat.url, models: ['qwen'] },
      anthropic: { provider: 'anthropic', base_url: messages.url, api_key: 'sk-up', models: ['claude'] },
    },
    // a name says nothing of the model that answers
    models: { 'gpt-4o': { targets: [QWEN] }, 'gpt-5': { targets: [QWEN] } },
  })
})
afterAll(async () => {
  await gate.stop()
  await chat.close()
  await messages.close()
})

async function ask(body: object) {
  const answer = await fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: answer.status, dropped: answer.headers.get('x-gate-dropped'), text: await answer.text() }
}

const PARAMETERS = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }
/** The fields that Cursor sends. */
const ASKED = {
  user: 'google-oauth2|1',
  stream: true,
  store: false,
  include: ['reasoning.encrypted_content'],
  reasoning: { effort: 'medium', summary: 'auto' },
  text: { verbosity: 'low' },
  prompt_cache_key: 'conversation-1',
  max_output_tokens: 99,
  tool_choice: 'auto',
  tools: [{ type: 'function', name: 'read', description: 'reads', parameters: PARAMETERS, strict: false }],
  input: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'input_text', text: 'Read a.' }] },
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'sealed' },
    { type: 'function_call', call_id: 'call_1', name: 'read', arguments: '{"path":"a"}' },
    { type: 'function_call_output', call_id: 'call_1', output: 'nothing' },
  ],
}
const MESSAGES = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Read a.' },
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } }],
  },
  { role: 'tool', tool_call_id: 'call_1', content: 'nothing' },
]

test('it is sent on as the chat that it means, and what no chat has is named', async () => {
  const { status, dropped, text } = await ask({ ...ASKED, model: 'gpt' })
  expect([status, dropped]).toEqual([200, 'input'])
  expect(problemsOf('openai:ChatCompletionCreateParams', sent)).toEqual([])
  expect(sent).toEqual({
    model: 'gpt',
    messages: MESSAGES,
    stream: true,
    stream_options: { include_usage: true }, // asked for by Gate
    max_completion_tokens: 99,
    tools: [
      { type: 'function', function: { name: 'read', description: 'reads', parameters: PARAMETERS, strict: false } },
    ],
    tool_choice: 'auto',
    reasoning_effort: 'medium',
    verbosity: 'low',
    prompt_cache_key: 'conversation-1',
    store: false,
    user: 'google-oauth2|1',
  })
  expect(text).toBe(delta({ role: 'assistant', content: 'Hi' }) + delta({}, 'stop') + DONE)
  expect(gate.rows.at(-1)).toMatchObject({ inputTokens: 5, outputTokens: 2, estimated: false, outcome: 'ok' })
})

test('who asks for the usage is shown it', async () => {
  const { text } = await ask({ ...ASKED, model: 'gpt', stream_options: { include_usage: true } })
  expect(text).toContain(USAGE)
})

test.each([
  ['gpt-4o', { reasoning: { effort: 'high' } }, { reasoning_effort: 'high' }],
  ['gpt-5', { temperature: 0, top_p: 0.5 }, { temperature: 0, top_p: 0.5 }],
])('what another model of the name %s would refuse is sent: %j', async (model, asked, expected) => {
  const { status, dropped } = await ask({ model, input: 'hello', ...asked })
  expect([status, dropped]).toEqual([200, null])
  expect(sent).toMatchObject({ model: 'qwen', ...expected })
})

test('a tool that is left out is not forced', async () => {
  const tools = [{ type: 'web_search' }, { type: 'function', name: 'read', parameters: PARAMETERS, strict: false }]
  const { dropped } = await ask({ model: 'gpt', input: 'hello', tools, tool_choice: { type: 'web_search' } })
  expect(sent).not.toHaveProperty('tool_choice')
  expect(dropped?.split(', ')).toEqual(expect.arrayContaining(['tools', 'tool_choice']))
})

test('engines get it in their words', async () => {
  expect((await ask({ model: 'qwen', input: 'hello', max_output_tokens: 9 })).status).toBe(200)
  expect(sent).toEqual({ model: 'qwen', messages: [{ role: 'user', content: 'hello' }], max_tokens: 9 })
})

test('an upstream of another dialect answers it, too', async () => {
  const { status, text } = await ask({ ...ASKED, stream: false, model: 'claude' })
  expect(status).toBe(200)
  expect(sent).toMatchObject({ system: [{ text: 'Be brief.' }], tools: [{ name: 'read' }], max_tokens: 99 })
  expect(JSON.parse(text)).toMatchObject({
    object: 'chat.completion',
    choices: [{ message: { tool_calls: [{ function: { name: 'read' } }] }, finish_reason: 'tool_calls' }],
  })
})

test.each([
  {
    name: 'what refers to an answer that was kept',
    body: { previous_response_id: 'resp_1' },
    param: 'previous_response_id',
  },
  { name: 'what is to run in the background', body: { background: true }, param: 'background' },
  { name: 'what is no input', body: { input: 7 }, param: 'input' },
  { name: 'an item of a wrong form', body: { input: ['hello'] }, param: 'input[0]' },
])('$name is refused', async ({ body, param }) => {
  const { status, text } = await ask({ model: 'gpt', input: 'hello', ...body })
  expect(status).toBe(400)
  expect(JSON.parse(text)).toMatchObject({ error: { param } })
})

test('a chat that has an input besides is a chat', async () => {
  const { status } = await ask({ model: 'gpt', messages: [{ role: 'user', content: 'a' }], input: 'b' })
  expect(status).toBe(200)
  expect(sent).toEqual({ model: 'gpt', messages: [{ role: 'user', content: 'a' }], input: 'b' })
})
