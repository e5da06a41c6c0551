import { createHash } from 'node:crypto'
import type { Dispatcher } from 'undici'

/** The id of the one model that the echo upstream serves. */
export const ECHO_MODEL = 'echo'

/**
 * What the echo says, in the dialect that it speaks. `seed` is the same for the same body, `path` what is asked.
 * @throws Error when the body is not JSON
 */
export type Echo = (
  body: string,
  seed: string,
  path: string,
) =>
  | { readonly kind: 'whole'; readonly status: number; readonly body: string }
  | { readonly kind: 'stream'; readonly mediaType: string; readonly frames: Iterator<string> }

/**
 * The built-in upstream: says the last user message back, token by token, deterministically. It sits below undici's own
 * interface, so that a request to it takes the same path as one to any other upstream.
 */
export function createEchoDispatcher(echo: Echo): Pick<Dispatcher, 'dispatch'> {
  return {
    dispatch({ body, path }, handler) {
      const text = body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : ''
      setImmediate(() => respond(echo, text, path, handler))
      return true
    },
  }
}

/** Answers a request. As in undici, whatever is thrown on the way becomes the handler's error. */
function respond(echo: Echo, body: string, path: string, handler: Dispatcher.DispatchHandler): void {
  try {
    const answer = echo(body, createHash('sha256').update(body).digest('hex').slice(0, 24), path)
    if (answer.kind === 'stream') respondStream(answer.mediaType, answer.frames, handler)
    else respondWhole(answer.status, Buffer.from(answer.body), handler)
  } catch (error) {
    const controller = new EchoController(handler, () => {})
    controller.abort(error instanceof Error ? error : new Error(String(error)))
  }
}

function respondWhole(status: number, body: Buffer, handler: Dispatcher.DispatchHandler): void {
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

function respondStream(mediaType: string, frames: Iterator<string>, handler: Dispatcher.DispatchHandler): void {
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
  handler.onResponseStart?.(controller, 200, { 'content-type': mediaType }, 'OK')
  controller.run()
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
