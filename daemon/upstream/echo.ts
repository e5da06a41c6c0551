import { createHash } from 'node:crypto'
import type { Dispatcher } from 'undici'
import { answerOf, type EchoRequest, type Message, readEchoRequest, tokensOf } from './echo-answer.ts'

/** The id of the one model that the echo upstream serves. */
export const ECHO_MODEL = 'echo'

type Frame = string

/**
 * The built-in upstream: says the last user message back, token by token, deterministically. It speaks the real wire
 * format behind undici's own interface, so that a request to it takes the same path as one to any other upstream.
 */
export function createEchoDispatcher(): Pick<Dispatcher, 'dispatch'> {
  return {
    dispatch({ body }, handler) {
      const text = body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : ''
      setImmediate(() => respond(text, handler))
      return true
    },
  }
}

/** Answers a request. As in undici, whatever is thrown on the way becomes the handler's error. */
function respond(body: string, handler: Dispatcher.DispatchHandler): void {
  try {
    const read = readEchoRequest(body)
    if (read.kind === 'refused') {
      const error = { message: read.message, type: 'invalid_request_error', param: null, code: null }
      respondJson(400, { error }, handler)
      return
    }
    const { request } = read
    const id = `chatcmpl-echo-${createHash('sha256').update(body).digest('hex').slice(0, 24)}`
    if (request.stream === true) respondStream(id, request, handler)
    else respondWhole(id, request, handler)
  } catch (error) {
    const controller = new EchoController(handler, () => {})
    controller.abort(error instanceof Error ? error : new Error(String(error)))
  }
}

function respondWhole(id: string, request: EchoRequest, handler: Dispatcher.DispatchHandler): void {
  const { message, finishReason, usage } = answerOf(request)
  const completion = {
    id,
    object: 'chat.completion',
    created: 0,
    model: request.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
    usage,
  }
  respondJson(200, completion, handler)
}

function respondJson(status: number, value: object, handler: Dispatcher.DispatchHandler): void {
  const body = Buffer.from(JSON.stringify(value))
  const controller = new EchoController(handler, (c) => {
    handler.onResponseData?.(c, body)
    if (!c.aborted) handler.onResponseEnd?.(c, {})
  })
  handler.onRequestStart?.(controller, {})
  if (controller.aborted) return
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  handler.onResponseStart?.(controller, status, headers)
  controller.run()
}

function respondStream(id: string, request: EchoRequest, handler: Dispatcher.DispatchHandler): void {
  const frames = framesOf(id, request)
  const controller = new EchoController(handler, (c) => {
    const next = frames.next()
    if (next.done === true) {
      handler.onResponseEnd?.(c, {})
      return
    }
    handler.onResponseData?.(c, Buffer.from(next.value))
    c.again()
  })
  handler.onRequestStart?.(controller, {})
  if (controller.aborted) return
  handler.onResponseStart?.(controller, 200, { 'content-type': 'text/event-stream; charset=utf-8' }, 'OK')
  controller.run()
}

/** The frames of a streamed answer: role, one per token (or piece of a tool call's arguments), the end, usage, [DONE]. */
function* framesOf(id: string, request: EchoRequest): Generator<Frame> {
  const { message, finishReason, usage } = answerOf(request)
  const reportsUsage = request.stream_options?.include_usage === true
  const frame = (choices: readonly unknown[], extra: object = reportsUsage ? { usage: null } : {}): Frame =>
    `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 0, model: request.model, choices, ...extra })}\n\n`
  const delta = (content: object, finish: string | null = null): Frame =>
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

/** undici's controller for an answer that is made here: one step per turn of the event loop, none while paused. */
class EchoController implements Dispatcher.DispatchController {
  readonly rawHeaders = null
  readonly rawTrailers = null
  aborted = false
  paused = false
  reason: Error | null = null
  readonly #handler: Dispatcher.DispatchHandler
  readonly #step: (controller: EchoController) => void
  #pending = false

  constructor(handler: Dispatcher.DispatchHandler, step: (controller: EchoController) => void) {
    this.#handler = handler
    this.#step = step
  }

  run(): void {
    if (!this.aborted) this.#step(this)
  }

  /** Asks for one more step. */
  again(): void {
    this.#pending = true
    if (this.paused || this.aborted) return
    setImmediate(() => {
      if (this.paused || this.aborted || !this.#pending) return
      this.#pending = false
      this.#step(this)
    })
  }

  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.#handler.onResponseError?.(this, reason)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    if (this.#pending) this.again()
  }
}
