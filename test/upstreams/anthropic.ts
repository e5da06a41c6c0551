import { problemsOf } from '../wire/schemas.ts'
import { type Body, event, pieces, type Said, THOUGHT, type UpstreamDialect, USAGE } from './upstream.ts'

const SIGNATURE = 'c2lnbmVkIGJ5IEFudGhyb3BpYw=='

/** Messages, where a turn that thought and called must begin with its thought, signed. */
export const anthropic: UpstreamDialect = {
  name: 'anthropic',
  provider: 'anthropic',
  model: 'claude-sonnet-4-5',
  basePath: '/v1',
  streamType: 'text/event-stream',
  shapes: { answer: 'anthropic:Message', event: 'anthropic:RawMessageStreamEvent' },
  problems: (body, headers) => [
    ...problemsOf('anthropic:MessageCreateParams', body),
    ...(headers['anthropic-version'] === undefined ? ['no anthropic-version'] : []),
    ...(headers['x-api-key'] === 'key-of-the-upstream' ? [] : ['no x-api-key']),
    ...unsigned(body),
    ...unanswered(body),
  ],
  read({ stream, messages, tools = [], thinking, output_config: config }) {
    const blocks: readonly Body[] = messages.flatMap(blocksOf)
    const asked = messages.findLast(({ role, content }: Body) => role === 'user' && !isResults(content))
    const thoughts = blocks.filter(({ type }) => type === 'thinking')
    return {
      stream: stream === true,
      question: JSON.stringify(asked?.content ?? ''),
      hasImage: blocks.some(({ type, source }) => type === 'image' && source.data?.startsWith('iVBOR')),
      thinks: thinks(thinking),
      tools: tools.map(({ name }: Body) => name),
      results: blocks.filter(({ type }) => type === 'tool_result').length,
      hasSchema: config?.format?.type === 'json_schema',
      hasThought: thoughts.length > 0 && thoughts.every((one) => one.thinking === THOUGHT),
    }
  },
  whole: (said) => ({ ...MESSAGE, content: contentOf(said), stop_reason: reasonOf(said), usage: REPORT }),
  frames(said) {
    const start = { ...MESSAGE, content: [], stop_reason: null, usage: { ...REPORT, output_tokens: 1 } }
    return [
      frame('message_start', { message: start }),
      ...contentOf(said).flatMap(framesOf),
      frame('message_delta', { delta: { ...OPEN, stop_reason: reasonOf(said) }, usage: REPORT }) +
        frame('message_stop', {}),
    ]
  },
  failure: (status, message) => ({ type: 'error', error: { type: TYPES[status], message }, request_id: null }),
  failureFrame: (message) => frame('error', { error: { type: 'overloaded_error', message }, request_id: null }),
}

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  429: 'rate_limit_error',
  500: 'api_error',
}
const OPEN = { stop_reason: null, stop_sequence: null, stop_details: null, container: null, diagnostics: null }
const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', ...OPEN }
const REPORT = {
  cache_creation: null,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  inference_geo: null,
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: 'standard',
  speed: null,
  input_tokens: USAGE.input,
  output_tokens: USAGE.output,
}
const reasonOf = ({ calls }: Said): string => (calls.length > 0 ? 'tool_use' : 'end_turn')
const frame = (type: string, rest: object): string => event(type, { type, ...rest })

const contentOf = ({ thought, text, calls }: Said): readonly Body[] => [
  ...(thought === null ? [] : [{ type: 'thinking', thinking: thought, signature: SIGNATURE }]),
  ...(text === '' ? [] : [{ type: 'text', text, citations: null }]),
  ...calls.map((call) => ({ type: 'tool_use', caller: { type: 'direct' }, ...call })),
]

/** The frames of one block, which come one block after the other. */
function framesOf(block: Body, index: number): readonly string[] {
  const delta = (type: string, rest: object) => frame('content_block_delta', { index, delta: { type, ...rest } })
  const start = { ...block, ...EMPTY[block.type] }
  const inside = {
    thinking: () => [
      ...pieces(block.thinking).map((thinking) => delta('thinking_delta', { thinking })),
      delta('signature_delta', { signature: SIGNATURE }),
    ],
    text: () => pieces(block.text).map((text) => delta('text_delta', { text })),
    tool_use: () =>
      pieces(JSON.stringify(block.input)).map((json) => delta('input_json_delta', { partial_json: json })),
  }[block.type as 'thinking' | 'text' | 'tool_use']()
  return [
    frame('content_block_start', { index, content_block: start }),
    ...inside,
    frame('content_block_stop', { index }),
  ]
}

const EMPTY: Readonly<Record<string, object>> = {
  thinking: { thinking: '', signature: '' },
  text: { text: '' },
  tool_use: { input: {} },
}

const thinks = (thinking: Body): boolean => thinking?.type === 'enabled' || thinking?.type === 'adaptive'
const blocksOf = ({ content }: Body): readonly Body[] => (typeof content === 'string' ? [] : content)
const isResults = (content: Body): boolean =>
  typeof content !== 'string' && content.some(({ type }: Body) => type === 'tool_result')

/** Turns after the question that called without a thought, of a model that was told to think; one that may think takes them. */
function unsigned({ messages, thinking }: Body): readonly string[] {
  const asked = messages.findLastIndex(({ role, content }: Body) => role === 'user' && !isResults(content))
  return messages.flatMap((message: Body, at: number) => {
    const blocks = blocksOf(message)
    const wrong = blocks.filter(({ type, signature }) => type === 'thinking' && signature !== SIGNATURE)
    const isBare =
      thinking?.type === 'enabled' &&
      at > asked &&
      blocks.some(({ type }) => type === 'tool_use') &&
      blocks[0]?.type !== 'thinking'
    return [
      ...wrong.map(() => `messages.${at}: invalid signature in thinking block`),
      ...(isBare ? [`messages.${at}: expected thinking, but found ${blocks[0]?.type}`] : []),
    ]
  })
}

/** Calls that the very next turn does not answer are refused. */
function unanswered({ messages }: Body): readonly string[] {
  return messages.flatMap((message: Body, at: number) => {
    const answers = blocksOf(messages[at + 1] ?? { content: '' }).map(({ tool_use_id: id }) => id)
    return blocksOf(message)
      .filter(({ type, id }) => type === 'tool_use' && !answers.includes(id))
      .map(({ id }) => `call ${id} is not answered`)
  })
}
