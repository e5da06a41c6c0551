import { problemsOf } from '../wire/schemas.ts'
import { type Body, event, PARSED, pieces, type Said, type UpstreamDialect, USAGE, without } from './upstream.ts'

const SEALED = 'c2VhbGVkIGJ5IE9wZW5BSQ=='

/** Items of responses that were to be stored, by their ids. */
const stored = new Map<string, Body>()

/** Responses, with what a client refers to kept unless it says otherwise. */
export const openaiResponses: UpstreamDialect = {
  name: 'openai-responses',
  provider: 'openai',
  dialects: { openai_chat: 'translate' },
  model: 'gpt-5',
  basePath: '/v1',
  streamType: 'text/event-stream',
  shapes: { answer: 'openai:Response', event: 'openai:ResponseStreamEvent' },
  problems: (body) => [
    ...problemsOf('openai:ResponseCreateParams', withDetail(without(body, PARSED))),
    ...unanswered(itemsOf(body)),
    ...itemsOf(body).flatMap(({ type, encrypted_content: sealed }) =>
      type === 'reasoning' && typeof sealed === 'string' && sealed !== SEALED
        ? ['the encrypted content could not be verified']
        : [],
    ),
  ],
  read(body) {
    const { stream, tools = [], text, reasoning } = body
    const items = itemsOf(body)
    const said = items.findLast(({ role, type = 'message' }) => type === 'message' && role === 'user')
    const thoughts = items.filter(({ type }) => type === 'reasoning')
    return {
      stream: stream === true,
      question: typeof said?.content === 'string' ? said.content : JSON.stringify(said?.content ?? ''),
      hasImage: JSON.stringify(items).includes('"image_url":"data:image/png;base64,iVBOR'),
      thinks: reasoning?.summary !== undefined && reasoning.summary !== null,
      tools: tools.map(({ name }: Body) => name),
      results: items.filter(({ type }) => type === 'function_call_output').length,
      hasSchema: text?.format?.type === 'json_schema',
      hasThought: thoughts.length > 0 && thoughts.every(({ encrypted_content: sealed }) => sealed === SEALED),
    }
  },
  whole(said) {
    const output = outputOf(said)
    for (const item of output) stored.set(item.id, item)
    return { ...RESPONSE, status: 'completed', output, output_text: said.text, usage: REPORT }
  },
  frames(said) {
    const output = outputOf(said)
    for (const item of output) stored.set(item.id, item)
    const begun = { ...RESPONSE, status: 'in_progress', output: [], output_text: '', usage: null }
    const ended = { ...RESPONSE, status: 'completed', output, output_text: said.text, usage: REPORT }
    const events: readonly Body[] = [
      { type: 'response.created', response: begun },
      { type: 'response.in_progress', response: begun },
      ...output.flatMap(eventsOf),
      { type: 'response.completed', response: ended },
    ]
    return events.map((one, at) => event(one.type, { ...one, sequence_number: at }))
  },
  failure: (_, message) => ({ error: { message, type: 'x', param: null, code: null } }),
  failureFrame(message) {
    const error = { code: 'server_error', message }
    const response = { ...RESPONSE, status: 'failed', error, output: [], output_text: '', usage: null }
    return event('response.failed', { type: 'response.failed', response, sequence_number: 99 })
  },
}

const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_700_000_000,
  error: null,
  incomplete_details: null,
  instructions: null,
  model: 'gpt-5',
  parallel_tool_calls: true,
  temperature: 1,
  top_p: 1,
  tool_choice: 'auto',
  tools: [],
  metadata: {},
  access_programs: null,
}
const REPORT = {
  input_tokens: USAGE.input,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: USAGE.output,
  output_tokens_details: { reasoning_tokens: USAGE.thinking },
  total_tokens: USAGE.input + USAGE.output,
}

const outputOf = ({ thought, text, calls }: Said): readonly Body[] => [
  ...(thought === null
    ? []
    : [
        {
          id: 'rs_1',
          type: 'reasoning',
          summary: [{ type: 'summary_text', text: thought }],
          encrypted_content: SEALED,
        },
      ]),
  ...(text === ''
    ? []
    : [
        {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
        },
      ]),
  ...calls.map(({ id, name, input }) => ({
    id: `fc_${id}`,
    type: 'function_call',
    call_id: id,
    name,
    arguments: JSON.stringify(input),
    status: 'completed',
  })),
]

function eventsOf(item: Body, output_index: number): readonly object[] {
  const at = { item_id: item.id, output_index }
  const inside = {
    reasoning: () => reasoningEvents(item, { ...at, summary_index: 0 }),
    message: () => messageEvents(item, { ...at, content_index: 0 }),
    function_call: () => [
      ...pieces(item.arguments).map((delta) => ({ type: 'response.function_call_arguments.delta', ...at, delta })),
      { type: 'response.function_call_arguments.done', ...at, name: item.name, arguments: item.arguments },
    ],
  }[item.type as 'reasoning' | 'message' | 'function_call']()
  return [
    { type: 'response.output_item.added', output_index, item: { ...item, ...EMPTY[item.type] } },
    ...inside,
    { type: 'response.output_item.done', output_index, item },
  ]
}

const EMPTY: Readonly<Record<string, object>> = {
  reasoning: { summary: [] },
  message: { content: [], status: 'in_progress' },
  function_call: { arguments: '', status: 'in_progress' },
}

function reasoningEvents({ summary: [part] }: Body, at: object): readonly object[] {
  const type = 'response.reasoning_summary'
  return [
    { type: `${type}_part.added`, ...at, part: { ...part, text: '' } },
    ...pieces(part.text).map((delta) => ({ type: `${type}_text.delta`, ...at, delta })),
    { type: `${type}_text.done`, ...at, text: part.text },
    { type: `${type}_part.done`, ...at, part },
  ]
}

function messageEvents({ content: [part] }: Body, at: object): readonly object[] {
  return [
    { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
    ...pieces(part.text).map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...at, text: part.text, logprobs: [] },
    { type: 'response.content_part.done', ...at, part },
  ]
}

/** The input, with what it refers to. */
function itemsOf({ input }: Body): readonly Body[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }]
  return input.map((item: Body) => (item.type === 'item_reference' ? (stored.get(item.id) ?? {}) : item))
}

/** OpenAI's types ask for it, and its clients leave it out. */
const withDetail = (body: Body): Body =>
  JSON.parse(JSON.stringify(body), (_, value) => (value?.type === 'input_image' ? { detail: 'auto', ...value } : value))

function unanswered(items: readonly Body[]): readonly string[] {
  const answers = items.filter(({ type }) => type === 'function_call_output').map(({ call_id: id }) => id)
  const calls = items.filter(({ type }) => type === 'function_call').map(({ call_id: id }) => id)
  return [
    ...calls.filter((id) => !answers.includes(id)).map((id) => `no tool output found for function call ${id}`),
    ...answers.filter((id) => !calls.includes(id)).map((id) => `no tool call found for output ${id}`),
  ]
}
