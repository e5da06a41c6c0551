import { problemsOf } from '../wire/schemas.ts'
import {
  type Body,
  event,
  PARSED,
  pieces,
  type Said,
  THOUGHT,
  type UpstreamDialect,
  USAGE,
  without,
} from './upstream.ts'

/** Chat completions of a model that always thinks, in `reasoning_content`, which it takes back. */
export const openaiChat: UpstreamDialect = {
  name: 'openai-chat',
  provider: 'moonshot',
  model: 'kimi-k2.5',
  basePath: '/v1',
  streamType: 'text/event-stream',
  shapes: { answer: 'openai:ChatCompletion', event: 'openai:ChatCompletionChunk' },
  problems: (body) => [...problemsOf('openai:ChatCompletionCreateParams', asTyped(body)), ...unanswered(body)],
  read({ stream, messages, tools = [], response_format: format }) {
    const question = messages.findLast(({ role }: Body) => role === 'user')?.content ?? ''
    const calling = messages.filter(({ tool_calls: calls = [] }: Body) => calls.length > 0)
    return {
      stream: stream === true,
      question: typeof question === 'string' ? question : JSON.stringify(question),
      hasImage: JSON.stringify(messages).includes('"image_url":{"url":"data:image/png;base64,iVBOR'),
      thinks: true,
      tools: tools.map(({ function: { name } }: Body) => name),
      results: messages.filter(({ role }: Body) => role === 'tool').length,
      hasSchema: format?.type === 'json_schema',
      hasThought: calling.length > 0 && calling.every((one: Body) => one.reasoning_content === THOUGHT),
    }
  },
  whole: (said) => ({
    ...HEAD,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: said.text,
          refusal: null,
          reasoning_content: said.thought,
          ...(said.calls.length > 0 && { tool_calls: callsOf(said) }),
        },
        logprobs: null,
        finish_reason: reasonOf(said),
      },
    ],
    usage: REPORT,
  }),
  frames: (said) => [
    ...pieces(said.thought ?? '').map((text) => chunk({ reasoning_content: text })),
    ...pieces(said.text).map((text) => chunk({ content: text })),
    ...callsOf(said).flatMap(({ function: { name, arguments: json }, ...call }, index) => [
      chunk({ tool_calls: [{ index, ...call, function: { name, arguments: '' } }] }),
      ...pieces(json).map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
    ]),
    `${chunk({}, reasonOf(said))}${event(null, { ...CHUNK_HEAD, choices: [], usage: REPORT })}data: [DONE]\n\n`,
  ],
  failure: (_, message) => ({ error: { message, type: 'x', param: null, code: null } }),
  failureFrame: (message) => event(null, { error: { message } }),
}

/** Without what it takes although OpenAI's types do not have it: a client may put all of a message into its text. */
const asTyped = (body: Body): Body => ({
  ...without(body, [...PARSED, 'reasoning_content']),
  messages: without(body.messages, [...PARSED, 'reasoning_content']).map((message: Body) =>
    message.role === 'assistant' && Array.isArray(message.content)
      ? { ...message, content: message.content.map(({ type, text }: Body) => ({ type, text })) }
      : message,
  ),
})

const HEAD = { id: 'c1', created: 1, model: 'kimi-k2.5' }
const CHUNK_HEAD = { ...HEAD, object: 'chat.completion.chunk' }
const REPORT = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  completion_tokens_details: { reasoning_tokens: USAGE.thinking },
}
const reasonOf = ({ calls }: Said): string => (calls.length > 0 ? 'tool_calls' : 'stop')

const callsOf = ({ calls }: Said) =>
  calls.map(({ id, name, input }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(input) } }))

function chunk(delta: object, reason: string | null = null): string {
  const choices = [{ index: 0, delta: { role: 'assistant', ...delta }, logprobs: null, finish_reason: reason }]
  return event(null, { ...CHUNK_HEAD, choices })
}

/** Calls that the very next messages do not answer are refused. */
function unanswered({ messages }: Body): readonly string[] {
  return messages.flatMap(({ tool_calls: calls = [] }: Body, at: number) => {
    const answers = messages.slice(at + 1, at + 1 + calls.length).map(({ tool_call_id: id }: Body) => id)
    return calls.filter(({ id }: Body) => !answers.includes(id)).map(({ id }: Body) => `call ${id} is not answered`)
  })
}
