import type { UpstreamDialect } from './fault-table.ts'

/** What a part of a streamed answer does. */
type Mark = 'opening' | 'content' | 'call' | 'arguments' | 'finish' | 'last'

/** An answer in one dialect: it says `Hello`, in two pieces, and calls a tool for Oslo. */
export type Speech = {
  readonly streamType: string
  readonly frames: readonly (readonly [Mark, string])[]
  readonly whole: string
  readonly error: string
  readonly wholeError: string
  readonly garbage: string
  /** A frame with content that follows the first. */
  readonly say: (text: string) => string
}

const MESSAGE = 'out of memory'
const ARGUMENTS = ['{"city":', '"Oslo"}'] as const
const json = JSON.stringify
const sse = (data: object): string => `data: ${json(data)}\n\n`
const SSE_GARBAGE = 'data: {"x":\n\n'

const chunk = (delta: object, reason: string | null = null, rest: object = {}) =>
  sse({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: reason }],
    ...rest,
  })
const called = (text: string) => ({ tool_calls: [{ index: 0, function: { arguments: text } }] })
const chatCall = { id: 'a', type: 'function', function: { name: 'weather', arguments: ARGUMENTS.join('') } }
const CHAT_USAGE = { prompt_tokens: 21, completion_tokens: 9, total_tokens: 30 }

const chat: Speech = {
  streamType: 'text/event-stream',
  frames: [
    ['opening', chunk({ role: 'assistant', content: '' })],
    ['content', chunk({ content: 'Hel' })],
    ['content', chunk({ content: 'lo' })],
    ['call', chunk({ tool_calls: [{ index: 0, ...chatCall, function: { name: 'weather', arguments: '' } }] })],
    ['arguments', chunk(called(ARGUMENTS[0]))],
    ['arguments', chunk(called(ARGUMENTS[1]))],
    ['finish', chunk({}, 'tool_calls') + chunk({}, null, { choices: [], usage: CHAT_USAGE })],
    ['last', 'data: [DONE]\n\n'],
  ],
  whole: json({
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hello', refusal: null, tool_calls: [chatCall] },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
    usage: CHAT_USAGE,
  }),
  error: sse({ error: { message: MESSAGE, type: 'server_error', param: null, code: null } }),
  wholeError: json({ error: { message: MESSAGE, type: 'server_error', param: null, code: null } }),
  garbage: SSE_GARBAGE,
  say: (content) => chunk({ content }),
}

const event = (type: string, rest: object): string => `event: ${type}\ndata: ${json({ type, ...rest })}\n\n`
const block = (index: number, delta: object) => event('content_block_delta', { index, delta })
const message = (content: readonly object[], reason: string | null, output: number) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content,
  stop_reason: reason,
  stop_sequence: null,
  usage: { input_tokens: 21, output_tokens: output },
})
const anthropicError = { type: 'error', error: { type: 'overloaded_error', message: MESSAGE } }

const anthropic: Speech = {
  streamType: 'text/event-stream',
  frames: [
    ['opening', event('message_start', { message: message([], null, 1) })],
    ['opening', event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })],
    ['content', block(0, { type: 'text_delta', text: 'Hel' })],
    ['content', block(0, { type: 'text_delta', text: 'lo' })],
    ['content', event('content_block_stop', { index: 0 })],
    [
      'call',
      event('content_block_start', {
        index: 1,
        content_block: { type: 'tool_use', id: 'a', name: 'weather', input: {} },
      }),
    ],
    ['arguments', block(1, { type: 'input_json_delta', partial_json: ARGUMENTS[0] })],
    ['arguments', block(1, { type: 'input_json_delta', partial_json: ARGUMENTS[1] })],
    ['arguments', event('content_block_stop', { index: 1 })],
    [
      'finish',
      event('message_delta', {
        delta: { stop_reason: 'tool_use', stop_sequence: null },
        usage: { output_tokens: 9 },
      }),
    ],
    ['last', event('message_stop', {})],
  ],
  whole: json(
    message(
      [
        { type: 'text', text: 'Hello' },
        { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Oslo' } },
      ],
      'tool_use',
      9,
    ),
  ),
  error: event('error', anthropicError),
  wholeError: json(anthropicError),
  garbage: `event: content_block_delta\n${SSE_GARBAGE}`,
  say: (text) => block(0, { type: 'text_delta', text }),
}

const response = (status: string, output: readonly object[], rest: object = {}) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status,
  error: null,
  incomplete_details: null,
  instructions: null,
  model: 'm',
  output,
  parallel_tool_calls: true,
  tool_choice: 'auto',
  tools: [],
  temperature: 1,
  top_p: 1,
  metadata: {},
  usage: null,
  ...rest,
})
const part = { type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }
const item = { id: 'msg_0', type: 'message', role: 'assistant', status: 'completed', content: [part] }
const responseCall = {
  id: 'fc_1',
  type: 'function_call',
  call_id: 'a',
  name: 'weather',
  arguments: ARGUMENTS.join(''),
  status: 'completed',
}
const RESPONSE_USAGE = {
  input_tokens: 21,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 30,
}
const inText = { item_id: 'msg_0', output_index: 0, content_index: 0 }
const textDelta = (delta: string) => event('response.output_text.delta', { ...inText, delta, logprobs: [] })
const inCall = { item_id: 'fc_1', output_index: 1 }
const argumentsDelta = (delta: string) => event('response.function_call_arguments.delta', { ...inCall, delta })
const completed = response('completed', [item, responseCall], { usage: RESPONSE_USAGE })

const responses: Speech = {
  streamType: 'text/event-stream',
  frames: numbered([
    ['opening', event('response.created', { response: response('in_progress', []) })],
    ['opening', event('response.in_progress', { response: response('in_progress', []) })],
    [
      'opening',
      event('response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', content: [] } }),
    ],
    ['opening', event('response.content_part.added', { ...inText, part: { ...part, text: '' } })],
    ['content', textDelta('Hel')],
    ['content', textDelta('lo')],
    ['content', event('response.output_text.done', { ...inText, text: 'Hello', logprobs: [] })],
    ['content', event('response.content_part.done', { ...inText, part })],
    ['content', event('response.output_item.done', { output_index: 0, item })],
    [
      'call',
      event('response.output_item.added', {
        output_index: 1,
        item: { ...responseCall, arguments: '', status: 'in_progress' },
      }),
    ],
    ['arguments', argumentsDelta(ARGUMENTS[0])],
    ['arguments', argumentsDelta(ARGUMENTS[1])],
    [
      'arguments',
      event('response.function_call_arguments.done', { ...inCall, arguments: ARGUMENTS.join(''), name: 'weather' }),
    ],
    ['arguments', event('response.output_item.done', { output_index: 1, item: responseCall })],
    ['last', event('response.completed', { response: completed })],
  ]),
  whole: json(completed),
  error: event('response.failed', {
    sequence_number: 90,
    response: response('failed', [], { error: { code: 'server_error', message: MESSAGE } }),
  }),
  wholeError: json(response('failed', [], { error: { code: 'server_error', message: MESSAGE } })),
  garbage: `event: response.output_text.delta\n${SSE_GARBAGE}`,
  say: (text) => textDelta(text).replace('"type"', '"sequence_number":50,"type"'),
}

function numbered(frames: Speech['frames']): Speech['frames'] {
  return frames.map(([mark, text], at) => [mark, text.replace('data: {', `data: {"sequence_number":${at},`)])
}

const content = (parts: readonly object[], reason?: string) => ({
  candidates: [{ index: 0, content: { role: 'model', parts }, ...(reason !== undefined && { finishReason: reason }) }],
  modelVersion: 'm',
  responseId: 'r1',
  ...(reason !== undefined && {
    usageMetadata: { promptTokenCount: 21, candidatesTokenCount: 9, totalTokenCount: 30 },
  }),
})
const googleCall = { functionCall: { id: 'a', name: 'weather', args: { city: 'Oslo' } } }
const googleError = { error: { code: 503, message: MESSAGE, status: 'UNAVAILABLE' } }

const google: Speech = {
  streamType: 'text/event-stream',
  frames: [
    ['content', sse(content([{ text: 'Hel' }]))],
    ['content', sse(content([{ text: 'lo' }]))],
    ['arguments', sse(content([googleCall]))],
    ['last', sse(content([{ text: '' }], 'STOP'))],
  ],
  whole: json(content([{ text: 'Hello' }, googleCall], 'STOP')),
  error: sse(googleError),
  wholeError: json(googleError),
  garbage: SSE_GARBAGE,
  say: (text) => sse(content([{ text }])),
}

const line = (text: string, rest: object = {}) =>
  `${json({ model: 'm', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content: text, ...rest }, done: false })}\n`
const ollamaCall = { tool_calls: [{ function: { name: 'weather', arguments: { city: 'Oslo' } } }] }
const done = { done: true, done_reason: 'stop', prompt_eval_count: 21, eval_count: 9 }

const ollama: Speech = {
  streamType: 'application/x-ndjson',
  frames: [
    ['content', line('Hel')],
    ['content', line('lo')],
    ['arguments', line('', ollamaCall)],
    ['last', `${json({ ...JSON.parse(line('')), ...done })}\n`],
  ],
  whole: json({ ...JSON.parse(line('Hello', ollamaCall)), ...done }),
  error: `${json({ error: MESSAGE })}\n`,
  wholeError: json({ error: MESSAGE }),
  garbage: '{"message":\n',
  say: (text) => line(text),
}

export const SPEECHES: Readonly<Record<UpstreamDialect, Speech>> = {
  'openai-chat': chat,
  'openai-responses': responses,
  anthropic,
  google,
  ollama,
}

/** Google's stream as one JSON list. */
export function asList(speech: Speech): Speech {
  const next = (frame: string) => `,\n${frame.slice('data: '.length).trimEnd()}`
  const frames = speech.frames.map(([mark, frame], at) => {
    const text = at === 0 ? `[${next(frame).slice(2)}` : next(frame)
    return [mark, at === speech.frames.length - 1 ? `${text}]\n` : text] as const
  })
  return {
    ...speech,
    streamType: 'application/json',
    frames,
    error: `${next(speech.error)}]\n`,
    garbage: ',{"x" 1}',
    say: (text) => next(speech.say(text)),
  }
}
