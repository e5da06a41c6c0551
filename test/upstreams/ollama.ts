import { problemsOf } from '../wire/schemas.ts'
import { type Body, pieces, type Said, THOUGHT, type UpstreamDialect, USAGE, without } from './upstream.ts'

/** Ollama's own API. */
export const ollama: UpstreamDialect = {
  name: 'ollama',
  provider: 'ollama',
  model: 'qwen3',
  basePath: '/api',
  streamType: 'application/x-ndjson',
  shapes: { answer: 'ollama:ChatResponse', event: 'ollama:ChatResponse' },
  // the parameters of a tool may be any JSON Schema
  problems: (body) => problemsOf('ollama:ChatRequest', without(body, ['additionalProperties'])),
  read({ stream, messages, tools = [], format, think }) {
    const calling = messages.filter(({ tool_calls: calls = [] }: Body) => calls.length > 0)
    return {
      stream: stream !== false,
      question: messages.findLast(({ role }: Body) => role === 'user')?.content ?? '',
      hasImage: messages.some(({ images = [] }: Body) => images[0]?.startsWith('iVBOR')),
      thinks: think !== undefined && think !== false,
      tools: tools.map(({ function: { name } }: Body) => name),
      results: messages.filter(({ role }: Body) => role === 'tool').length,
      hasSchema: typeof format === 'object',
      hasThought: calling.length > 0 && calling.every(({ thinking }: Body) => thinking === THOUGHT),
    }
  },
  whole: (said) => ({ ...HEAD, message: messageOf(said), ...END }),
  frames: (said) => [
    ...pieces(said.thought ?? '').map((thinking) => line({ content: '', thinking })),
    ...pieces(said.text).map((content) => line({ content })),
    ...callsOf(said).map((call) => line({ content: '', tool_calls: [call] })),
    `${JSON.stringify({ ...HEAD, message: { role: 'assistant', content: '' }, ...END })}\n`,
  ],
  failure: (_, message) => ({ error: message }),
  failureFrame: (message) => `${JSON.stringify({ error: message })}\n`,
}

const HEAD = { model: 'qwen3', created_at: '2026-11-28T10:00:00.5Z' }
const END = {
  done: true,
  done_reason: 'stop',
  total_duration: 5,
  load_duration: 1,
  prompt_eval_count: USAGE.input,
  prompt_eval_duration: 2,
  eval_count: USAGE.output,
  eval_duration: 2,
}
const line = (message: object): string =>
  `${JSON.stringify({ ...HEAD, message: { role: 'assistant', ...message }, done: false })}\n`

const callsOf = ({ calls }: Said) =>
  calls.map(({ name, input }, index) => ({ function: { index, name, arguments: input } }))

const messageOf = (said: Said): object => ({
  role: 'assistant',
  content: said.text,
  ...(said.thought !== null && { thinking: said.thought }),
  ...(said.calls.length > 0 && { tool_calls: callsOf(said) }),
})
