import { answerOf, type EchoRequest, type Message, readEchoRequest, tokensOf } from './echo-answer.ts'

/** An answer in this dialect: JSON at once, or the frames of a stream as they are wanted. */
type EchoAnswer =
  | { readonly kind: 'whole'; readonly status: number; readonly body: string }
  | { readonly kind: 'stream'; readonly mediaType: string; readonly frames: Iterator<string> }

/** A request that the echo answers in every installation. */
export const EXAMPLE = {
  path: '/v1/chat/completions',
  body: '{"model":"echo","messages":[{"role":"user","content":"Hello from Gate"}]}',
} as const

/**
 * Says the last user message back, and makes vectors of texts that mean nothing. @param seed makes the id of the answer; the same for the same body
 * @throws Error when the body is not JSON
 */
export function echo(body: string, seed: string, path: string): EchoAnswer {
  const read = readEchoRequest(body, path)
  if (read.kind === 'refused') {
    const error = { message: read.message, type: 'invalid_request_error', param: null, code: null }
    return { kind: 'whole', status: 400, body: JSON.stringify({ error }) }
  }
  if (read.kind === 'embeddings') return { kind: 'whole', status: 200, body: JSON.stringify(read.answer) }
  const id = `chatcmpl-echo-${seed}`
  if (read.request.stream === true) {
    return { kind: 'stream', mediaType: 'text/event-stream; charset=utf-8', frames: framesOf(id, read.request) }
  }
  return { kind: 'whole', status: 200, body: JSON.stringify(completionOf(id, read.request)) }
}

const unixSeconds = () => Math.floor(Date.now() / 1_000)

function completionOf(id: string, request: EchoRequest): object {
  const { message, finishReason, usage } = answerOf(request)
  return {
    id,
    object: 'chat.completion',
    created: unixSeconds(),
    model: request.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
    usage,
  }
}

/**
 * The frames of a streamed answer: role, one per token (or piece of a tool call's arguments), the end, usage, [DONE].
 */
function* framesOf(id: string, request: EchoRequest): Generator<string> {
  const { message, finishReason, usage } = answerOf(request)
  const created = unixSeconds()
  const reportsUsage = request.stream_options?.include_usage === true
  const frame = (choices: readonly unknown[], extra: object = reportsUsage ? { usage: null } : {}): string =>
    `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created, model: request.model, choices, ...extra })}\n\n`
  const delta = (content: object, finish: string | null = null): string =>
    frame([{ index: 0, delta: content, logprobs: null, finish_reason: finish }])

  yield delta({ role: 'assistant', content: message.tool_calls === undefined ? '' : null })
  for (const piece of deltasOf(message)) yield delta(piece)
  yield delta({}, finishReason)
  if (reportsUsage) yield frame([], { usage })
  yield 'data: [DONE]\n\n'
}

function* deltasOf(message: Message): Generator<object> {
  for (const token of tokensOf(message.content ?? '')) yield { content: token }
  for (const [index, call] of (message.tool_calls ?? []).entries()) {
    const { name, arguments: text } = call.function
    yield { tool_calls: [{ index, id: call.id, type: 'function', function: { name, arguments: '' } }] }
    for (const piece of text.match(/.{1,8}/gsu) ?? []) yield { tool_calls: [{ index, function: { arguments: piece } }] }
  }
}
