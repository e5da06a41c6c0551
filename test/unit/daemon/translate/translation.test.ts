import { expect, test } from 'vitest'
import { anthropic } from '../../../../daemon/translate/anthropic/dialect.ts'
import type { Dialect } from '../../../../daemon/translate/dialect.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import { openAiResponses } from '../../../../daemon/translate/openai-responses/dialect.ts'
import { translate } from '../../../../daemon/translate/translation.ts'
import { run } from '../../../wire/run.ts'

const client_request = { model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'x' }] }
const one = { name: 'x', folder: '', why: '', client_request }

/** The answer of an upstream of chat completions, as a client of Messages is told it. */
function shownOfChunks(chunks: readonly object[], request: object = {}, isDone = true): string {
  const frames = [
    ...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`),
    ...(isDone ? ['data: [DONE]\n\n'] : []),
  ]
  const asked = {
    ...one,
    client_request: { ...client_request, ...request },
    ingress: 'anthropic',
    upstream: 'openai-chat',
  }
  return run(
    { ...asked, upstream_response: frames },
    frames.map((frame) => Buffer.from(frame)),
  ).shown
}
const chunk = (delta: object, more: object = {}) => ({
  id: '1',
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
})

test.each([
  { name: 'without a reason, but with its end', isDone: true, says: '"stop_reason":"end_turn"' },
  { name: 'without either', isDone: false, says: '"type":"error"' },
])('an answer of chat completions $name', ({ isDone, says }) => {
  expect(shownOfChunks([chunk({ content: 'hi' })], {}, isDone)).toContain(says)
})

test.each([
  { said: 'END', stop: ['END'], reason: 'stop_sequence', sequence: '"END"' },
  { said: 'eos', stop: ['END'], reason: 'end_turn', sequence: 'null' },
  { said: 'stop', stop: [], reason: 'end_turn', sequence: 'null' },
])(
  'what an upstream calls $said is a stop sequence only of a request with $stop',
  ({ said, stop, reason, sequence }) => {
    const chunks = [chunk({ content: 'hi' }, { finish_reason: 'stop', stop_reason: said })]
    expect(shownOfChunks(chunks, { stop_sequences: stop })).toContain(
      `"stop_reason":"${reason}","stop_sequence":${sequence}`,
    )
  },
)

test('text that goes on after another block has begun is shown, in a block of its own if need be', () => {
  const block = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block })
  const more = (index: number, delta: object) => ({ type: 'content_block_delta', index, delta })
  const events = [
    { type: 'message_start', message: { id: '1', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } },
    block(0, { type: 'text', text: '' }),
    more(0, { type: 'text_delta', text: 'one ' }),
    block(1, { type: 'tool_use', id: 't', name: 'f', input: {} }),
    more(0, { type: 'text_delta', text: 'two' }),
    more(1, { type: 'input_json_delta', partial_json: '{}' }),
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_stop', index: 1 },
    block(2, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }),
    more(2, { type: 'input_json_delta', partial_json: '{"query":"x"}' }),
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 2 } },
    { type: 'message_stop' },
  ]
  const frames = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  const asked = { ...one, ingress: 'openai-chat', upstream: 'anthropic', upstream_response: frames }
  const { shown } = run(
    asked,
    frames.map((frame) => Buffer.from(frame)),
  )
  const deltas = [...shown.matchAll(/"content":"([^"]+)"/g)].map(([, text]) => text)
  expect(deltas.join('')).toBe('one two')
  expect(shown).toContain('"name":"f"')
  expect(shown).not.toContain('query')
})

test.each([
  { ingress: 'openai-chat', upstream: 'anthropic', request: { reasoning_effort: 'high' }, dropped: [] },
  {
    ingress: 'openai-chat',
    upstream: 'anthropic',
    request: { reasoning_effort: 'ultra' },
    dropped: ['reasoning_effort'],
  },
  { ingress: 'openai-chat', upstream: 'anthropic', request: { reasoning_effort: 'none' }, dropped: [] },
  { ingress: 'anthropic', upstream: 'openai-chat', request: { output_config: { effort: 'max' } }, dropped: [] },
  {
    ingress: 'anthropic',
    upstream: 'openai-chat',
    request: { output_config: { effort: 'ultra' } },
    dropped: ['output_config.effort'],
  },
])('an effort that Gate does not know is named, not passed on: $request', ({ request, dropped, ...sides }) => {
  const asked = { ...one, ...sides, client_request: { ...client_request, ...request }, upstream_response: [] }
  const { sent, dropped: named } = run(asked, [])
  expect(named).toEqual(dropped)
  expect(sent).not.toContain('ultra')
})

test.each([64, 65, 128])(
  'a tool with a name of %i characters is known by it to the client, and by at most 64 to the upstream',
  (length) => {
    const name = `mcp__${'x'.repeat(length - 5)}`
    const call = { type: 'tool_use', id: 't', name, input: {} }
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: [call] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'y' }] },
    ]
    const tools = [{ name, input_schema: { type: 'object' } }]
    const request = { ...client_request, messages, tools, tool_choice: { type: 'tool', name } }
    const asked = { ...one, client_request: request, ingress: 'anthropic', upstream: 'openai-chat' }
    const { sent } = run({ ...asked, upstream_response: [] }, [])
    const names = [...sent.matchAll(/"name":"([^"]+)"/g)].map(([, found = '']) => found)
    const [short = ''] = new Set(names)
    expect({ names: new Set(names), count: names.length }).toEqual({ names: new Set([short]), count: 3 })
    expect(short.length).toBe(Math.min(length, 64))
    const made = { id: 't', type: 'function', function: { name: short, arguments: '{}' } }
    const choice = { index: 0, finish_reason: 'tool_calls' }
    const whole = { id: '1', model: 'm', choices: [{ ...choice, message: { content: null, tool_calls: [made] } }] }
    expect(run({ ...asked, upstream_response: whole }, []).shown).toContain(`"name":"${name}"`)
    const frame = Buffer.from(
      `data: ${JSON.stringify({ id: '1', choices: [{ ...choice, delta: { tool_calls: [{ index: 0, ...made }] } }] })}\n\n`,
    )
    expect(run({ ...asked, upstream_response: [frame.toString()] }, [frame]).shown).toContain(`"name":"${name}"`)
  },
)

const HI = [{ role: 'user', content: 'hi' }]
const CALL_TOOL = { type: 'function', name: 'f', parameters: { type: 'object', properties: {} }, strict: false }

test.each<{ name: string; client: Dialect; request: object; spoken: string }>([
  { name: 'text', client: openAiResponses, request: { input: 'hi', temperature: 0 }, spoken: 'openai-responses' },
  { name: 'tools', client: openAiResponses, request: { input: 'hi', tools: [CALL_TOOL] }, spoken: 'openai-responses' },
  {
    name: 'calls side by side, as they are anyway',
    client: openAiResponses,
    request: { input: 'hi', tools: [CALL_TOOL], parallel_tool_calls: true },
    spoken: 'openai-responses',
  },
  {
    name: 'a forced call',
    client: openAiResponses,
    request: { input: 'hi', tools: [CALL_TOOL], tool_choice: 'required' },
    spoken: 'openai-chat',
  },
  {
    name: 'one call at a time',
    client: openAiResponses,
    request: { input: 'hi', tools: [CALL_TOOL], parallel_tool_calls: false },
    spoken: 'openai-chat',
  },
  {
    name: 'a schema',
    client: openAiResponses,
    request: { input: 'hi', text: { format: { type: 'json_schema', name: 'a', schema: {} } } },
    spoken: 'openai-chat',
  },
  {
    name: 'a tool that takes a text',
    client: openAiResponses,
    request: { input: 'hi', tools: [{ type: 'custom', name: 'patch' }] },
    spoken: 'openai-chat',
  },
  {
    name: 'a budget for thinking',
    client: anthropic,
    request: { messages: HI, thinking: { type: 'enabled', budget_tokens: 1024 } },
    spoken: 'anthropic',
  },
  {
    name: 'no thinking',
    client: anthropic,
    request: { messages: HI, thinking: { type: 'disabled' } },
    spoken: 'openai-chat',
  },
  {
    name: 'what the dialect has no more',
    client: anthropic,
    request: { messages: HI, temperature: 0 },
    spoken: 'openai-chat',
  },
])('a request of $client.name for $name is said to an engine that needs repair in $spoken', (one) => {
  const [endpoint] = one.client.endpoints
  if (endpoint === undefined) throw new Error('no endpoint')
  const body = Buffer.from(JSON.stringify({ model: 'm', max_tokens: 9, ...one.request }))
  const call = { endpoint, param: '', url: endpoint.path, headers: {}, body }
  const spoken = { dialect: one.client, grade: 'repair', instead: openAiChat } as const
  const side = { model: 'm', provider: 'llama-cpp' }
  const facts = { requestId: 'r', nowS: 1, elapsedNs: () => 0 }
  expect(translate(one.client, spoken, call, side, facts).spoken.name).toBe(one.spoken)
})

// a copy of the turn for each message that joins it is quadratic: 200,000 messages held the loop for ten minutes
test.each([
  {
    ingress: 'openai-chat',
    upstream: 'anthropic',
    field: 'messages',
    item: { role: 'user', content: 'x' },
    count: 1e5,
  },
  { ingress: 'openai-chat', upstream: 'google', field: 'messages', item: { role: 'user', content: 'x' } },
  {
    ingress: 'openai-chat',
    upstream: 'anthropic',
    field: 'messages',
    item: { role: 'tool', tool_call_id: 'c', content: 'x' },
  },
  { ingress: 'google', upstream: 'openai-chat', field: 'contents', item: { role: 'model', parts: [{ text: 'x' }] } },
  { ingress: 'ollama', upstream: 'anthropic', field: 'messages', item: { role: 'tool', content: 'x' } },
  {
    ingress: 'openai-responses',
    upstream: 'anthropic',
    field: 'input',
    item: { type: 'function_call_output', call_id: 'c', output: 'x' },
  },
])(
  'many messages of one role, in $field of $ingress, are one turn at $upstream',
  {
    timeout: 60_000,
  },
  ({ ingress, upstream, field, item, count = 1_000 }) => {
    const many = Array.from({ length: count }, () => item)
    const asked = { name: 'x', folder: '', why: '', ingress, upstream, client_request: { model: 'm', [field]: many } }
    const answers: Record<string, Readonly<Record<string, unknown>>> = {
      anthropic: { type: 'message', role: 'assistant', content: [], stop_reason: 'end_turn' },
      google: { candidates: [{ content: { parts: [] }, finishReason: 'STOP' }] },
      'openai-chat': { choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }] },
    }
    const { sent } = run({ ...asked, upstream_response: answers[upstream] ?? {} }, [])
    const { messages, contents } = JSON.parse(sent) as { messages?: unknown[]; contents?: unknown[] }
    expect(messages ?? contents).toHaveLength(1)
  },
)
