import { z } from 'zod'

export const DIALECT_NAMES = ['chat', 'messages', 'responses'] as const
export type DialectName = (typeof DIALECT_NAMES)[number]

/** What one frame of a stream says. */
export type Said = {
  readonly token?: string | undefined
  readonly hasEnded?: boolean | undefined
  readonly outputTokens?: number | undefined
  readonly isLast?: boolean | undefined
}

/** A dialect as the mock writes it and the clients read it. Tokens are numbered. */
type Dialect = {
  readonly path: string
  /** The frames before the first token. */
  readonly start: string
  readonly token: (number: number) => string
  readonly end: (tokens: number, withUsage: boolean) => string
  readonly whole: (text: string, tokens: number) => object
  /** @param data of a frame @throws Error when it has another shape */
  readonly read: (data: string) => Said
}

const CHUNK = {
  id: 'chatcmpl-bench',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'mock',
  system_fingerprint: 'fp_mock',
}
const INPUT_TOKENS = 75
const usage = (tokens: number) => ({
  prompt_tokens: INPUT_TOKENS,
  completion_tokens: tokens,
  total_tokens: INPUT_TOKENS + tokens,
})
const chatFrame = (rest: object) => `data: ${JSON.stringify({ ...CHUNK, ...rest })}\n\n`
const choice = (delta: object, reason: string | null = null) =>
  chatFrame({ choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] })

const chunkShape = z.object({
  choices: z.array(
    z.object({
      delta: z.object({ content: z.string().nullish() }),
      finish_reason: z.string().nullish(),
    }),
  ),
  usage: z.object({ completion_tokens: z.number() }).nullish(),
})

const chat: Dialect = {
  path: '/v1/chat/completions',
  start: choice({ role: 'assistant', content: '' }),
  token: (number) => choice({ content: `${number} ` }),
  end: (tokens, withUsage) =>
    [choice({}, 'stop'), withUsage ? chatFrame({ choices: [], usage: usage(tokens) }) : '', 'data: [DONE]\n\n'].join(
      '',
    ),
  whole: (text, tokens) => ({
    ...CHUNK,
    object: 'chat.completion',
    choices: [
      { index: 0, message: { role: 'assistant', content: text, refusal: null }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: usage(tokens),
  }),
  read(data) {
    if (data === '[DONE]') return { isLast: true }
    const { choices, usage: reported } = chunkShape.parse(JSON.parse(data))
    return {
      token: choices[0]?.delta.content ?? undefined,
      hasEnded: choices[0]?.finish_reason === 'stop',
      outputTokens: reported?.completion_tokens,
    }
  },
}

const named = (type: string, rest: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`
const message = (content: readonly object[], reason: string | null, outputTokens: number) => ({
  id: 'msg_bench',
  type: 'message',
  role: 'assistant',
  model: 'mock',
  content,
  stop_reason: reason,
  stop_sequence: null,
  usage: { input_tokens: INPUT_TOKENS, output_tokens: outputTokens },
})

const messageShape = z.object({
  type: z.string(),
  delta: z.object({ text: z.string().optional(), stop_reason: z.string().nullish() }).optional(),
  usage: z.object({ output_tokens: z.number() }).optional(),
})

const messages: Dialect = {
  path: '/v1/messages',
  start:
    named('message_start', { message: message([], null, 1) }) +
    named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  token: (number) => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: `${number} ` } }),
  end: (tokens) =>
    named('content_block_stop', { index: 0 }) +
    named('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: tokens },
    }) +
    named('message_stop'),
  whole: (text, tokens) => message([{ type: 'text', text }], 'end_turn', tokens),
  read(data) {
    const { type, delta, usage: reported } = messageShape.parse(JSON.parse(data))
    return {
      token: type === 'content_block_delta' ? delta?.text : undefined,
      hasEnded: delta?.stop_reason === 'end_turn',
      outputTokens: type === 'message_delta' ? reported?.output_tokens : undefined,
      isLast: type === 'message_stop',
    }
  },
}

const response = (status: string, text: string | null, tokens: number) => ({
  id: 'resp_bench',
  object: 'response',
  created_at: 1_700_000_000,
  status,
  error: null,
  model: 'mock',
  output: text === null ? [] : [item('completed', [part(text)])],
  usage: text === null ? null : { input_tokens: INPUT_TOKENS, output_tokens: tokens, total_tokens: 75 + tokens },
})
const item = (status: string, content: readonly object[]) => ({
  id: 'msg_bench_0',
  type: 'message',
  status,
  role: 'assistant',
  content,
})
const part = (text: string) => ({ type: 'output_text', text, annotations: [], logprobs: [] })
const PLACE = { item_id: 'msg_bench_0', output_index: 0, content_index: 0 }
const responseEvent = (name: string, number: number, rest: object) =>
  named(`response.${name}`, { sequence_number: number, ...rest })

const responseShape = z.object({
  type: z.string(),
  delta: z.string().optional(),
  response: z.object({ status: z.string(), usage: z.object({ output_tokens: z.number() }).nullish() }).optional(),
})

const responses: Dialect = {
  path: '/v1/responses',
  start:
    responseEvent('created', 0, { response: response('in_progress', null, 0) }) +
    responseEvent('output_item.added', 1, { output_index: 0, item: item('in_progress', []) }) +
    responseEvent('content_part.added', 2, { ...PLACE, part: part('') }),
  token: (number) => responseEvent('output_text.delta', number + 3, { ...PLACE, delta: `${number} `, logprobs: [] }),
  end(tokens) {
    const text = Array.from({ length: tokens }, (_, number) => `${number} `).join('')
    return (
      responseEvent('output_text.done', tokens + 3, { ...PLACE, text, logprobs: [] }) +
      responseEvent('content_part.done', tokens + 4, { ...PLACE, part: part(text) }) +
      responseEvent('output_item.done', tokens + 5, { output_index: 0, item: item('completed', [part(text)]) }) +
      responseEvent('completed', tokens + 6, { response: response('completed', text, tokens) })
    )
  },
  whole: (text, tokens) => response('completed', text, tokens),
  read(data) {
    const { type, delta, response: state } = responseShape.parse(JSON.parse(data))
    const isLast = type === 'response.completed'
    return {
      token: type === 'response.output_text.delta' ? delta : undefined,
      hasEnded: isLast && state?.status === 'completed',
      outputTokens: isLast ? state?.usage?.output_tokens : undefined,
      isLast,
    }
  },
}

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = { chat, messages, responses }

/** The dialect of a path. @throws Error when none has it */
export function dialectAt(path: string): Dialect {
  const found = Object.values(DIALECTS).find((dialect) => path.startsWith(dialect.path))
  if (found === undefined) throw new Error(`nothing is served at ${path}`)
  return found
}
