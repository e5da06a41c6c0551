import type { Dispatcher } from 'undici'
import { type ErrorCode, GateError } from '../../schemas/words/errors.ts'

type Controller = Dispatcher.DispatchController
type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>

/** A request to one upstream. Times in milliseconds. */
export type ForwardRequest = {
  readonly dispatcher: Pick<Dispatcher, 'dispatch'>
  readonly method: 'POST'
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: Buffer
  readonly headersTimeoutMs: number
  readonly idleTimeoutMs: number
}

/** The client's side of an answer. Bytes go out as they are given; `write` says false when the client is slow. */
export type Sink = {
  readonly started: () => boolean
  readonly start: (status: number, headers: ResponseHeaders) => void
  readonly write: (chunk: Buffer) => boolean
  /** Calls back once, when the client has read what was written. */
  readonly onDrain: (resume: () => void) => void
  /** Calls back once, at once if so already, when the client has gone away or the answer was cut off. */
  readonly onGone: (cancel: () => void) => void
}

/** What reads a stream along the way; see `createStreamWatch`. */
export type Watch = {
  readonly feed: (chunk: Buffer) => void
  readonly frames: () => number
  readonly isDone: () => boolean
  readonly isComplete: () => boolean
  readonly failure: () => string | null
}

/** How a forwarded request ended. `ttftMs` is the time to the first byte of the answer's content. */
export type ForwardEnd =
  /** A complete answer; `rest` is the part that the sink has not been given yet: all of it unless it is a stream. */
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: ResponseHeaders
      readonly rest: Buffer
      readonly ttftMs: number
    }
  /** The upstream answered with an error or redirect status (or an error as the first frame); the sink was given nothing of it. */
  | { readonly kind: 'rejected'; readonly status: number; readonly headers: ResponseHeaders; readonly body: Buffer }
  /**
   * No answer, or one that broke off. `passed` when the client was given a part of it, `told` when that part says
   * itself that it failed.
   */
  | {
      readonly kind: 'failed'
      readonly status: number
      readonly error: GateError
      readonly passed: boolean
      readonly told: boolean
      readonly ttftMs: number | null
    }
  /** The client went away. */
  | { readonly kind: 'gone'; readonly status: number; readonly ttftMs: number | null }

/** An answer that is no stream is held whole up to this size, so that nothing is sent of one that breaks off. */
const MAX_HELD_BYTES = 2 ** 20
const MAX_ERROR_BYTES = 64 * 2 ** 10
const NOTHING = Buffer.alloc(0)
const JSON_HEADERS = { 'content-type': 'application/json' }
const CLIENT_GONE = new Error('the client went away')

/**
 * Sends one request to one upstream and passes the answer on as it comes: backpressure goes up, a client that leaves
 * aborts the upstream. Streams are passed on from their first whole frame, with the last chunk held back as `rest`, so
 * that the caller can settle the books before the client sees the end.
 * @param now monotonic milliseconds
 */
export function forward(request: ForwardRequest, sink: Sink, watch: Watch, now: () => number): Promise<ForwardEnd> {
  return new Promise((resolve) => {
    const exchange = new Exchange(sink, watch, now, resolve)
    const { dispatcher, method, path, headers, body, headersTimeoutMs, idleTimeoutMs } = request
    dispatcher.dispatch(
      { method, path, headers, body, headersTimeout: headersTimeoutMs, bodyTimeout: idleTimeoutMs },
      exchange,
    )
    sink.onGone(() => exchange.cancel())
  })
}

/** undici's handler of one request. A class because one is made per request, on the hot path. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #sink: Sink
  readonly #watch: Watch
  readonly #now: () => number
  readonly #resolve: (end: ForwardEnd) => void
  readonly #startedAt: number
  #controller: Controller | null = null
  #ended = false
  #cancelled = false
  #status = 0
  #headers: ResponseHeaders = {}
  #isRefusal = false
  #isStream = false
  #passing = false
  #held: Buffer[] = []
  #heldBytes = 0
  #ttftMs: number | null = null

  constructor(sink: Sink, watch: Watch, now: () => number, resolve: (end: ForwardEnd) => void) {
    this.#sink = sink
    this.#watch = watch
    this.#now = now
    this.#resolve = resolve
    this.#startedAt = now()
  }

  cancel(): void {
    this.#cancelled = true
    this.#controller?.abort(CLIENT_GONE)
    this.#end({ kind: 'gone', status: this.#status, ttftMs: this.#ttftMs })
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    if (this.#cancelled) controller.abort(CLIENT_GONE)
  }

  onResponseStart(_controller: Controller, status: number, headers: ResponseHeaders): void {
    if (status < 200) return
    this.#status = status
    this.#headers = headers
    this.#isRefusal = status >= 300 // redirects too: following one could take the key elsewhere
    this.#isStream = !this.#isRefusal && String(headers['content-type'] ?? '').startsWith('text/event-stream')
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#ended) {
      controller.abort(new Error('the upstream goes on after the end of its answer'))
      return
    }
    this.#ttftMs ??= this.#now() - this.#startedAt
    if (this.#isStream) this.#passStream(controller, chunk)
    else if (this.#isRefusal) this.#holdRefusal(controller, chunk)
    else if (!this.#hold(chunk)) this.#passOn(controller)
  }

  onResponseEnd(): void {
    if (this.#ended) return
    const rest = this.#takeHeld()
    if (this.#isRefusal) {
      this.#end({ kind: 'rejected', status: this.#status, headers: this.#headers, body: rest })
    } else if (this.#isStream && !this.#watch.isComplete()) {
      this.#fail('UPSTREAM_TRUNCATED', 'the upstream ended the stream before it was complete')
    } else if (!this.#isStream && this.#sink.started() && !this.#passing) {
      this.#fail('UPSTREAM_FAILED', 'the upstream was asked for a stream and sent something else')
    } else this.#answered(rest)
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.#ended) return
    const code = 'code' in error ? String(error.code) : error.name
    if (/TIMEOUT/i.test(code)) this.#fail('UPSTREAM_TIMEOUT', 'the upstream did not answer in time', error)
    else if (this.#status === 0) this.#fail('UPSTREAM_FAILED', 'the upstream could not be reached', error)
    else this.#fail('UPSTREAM_TRUNCATED', 'the upstream broke off its answer', error)
  }

  #passStream(controller: Controller, chunk: Buffer): void {
    const watch = this.#watch
    watch.feed(chunk)
    const fits = this.#hold(chunk)
    const failure = watch.failure()
    if (failure !== null && !this.#sink.started()) {
      this.#end({ kind: 'rejected', status: 502, headers: JSON_HEADERS, body: errorBody(failure) })
      controller.abort(new Error('the stream began with an error'))
    } else if (failure !== null) {
      // the upstream's own error frame goes to the client as it is; the attempt is a failure all the same
      this.#passOn(controller)
      this.#fail('UPSTREAM_FAILED', 'the upstream reported an error inside the stream', undefined, true)
      controller.abort(new Error('the stream reported an error'))
    } else if (watch.isDone()) this.#answered(this.#takeHeld())
    else if (watch.frames() > 0 || this.#sink.started() || !fits) this.#passOn(controller)
  }

  /** Keeps the body of an error; one that is too long is not waited for, and no JSON any more. */
  #holdRefusal(controller: Controller, chunk: Buffer): void {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes <= MAX_ERROR_BYTES) return
    const headers = { ...this.#headers, 'content-type': 'text/plain' }
    this.#end({ kind: 'rejected', status: this.#status, headers, body: NOTHING })
    controller.abort(new Error('the body of the error is too long'))
  }

  /** Keeps a chunk. @returns whether it still fits; what does not is passed on */
  #hold(chunk: Buffer): boolean {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    return !this.#passing && this.#heldBytes <= MAX_HELD_BYTES
  }

  #passOn(controller: Controller): void {
    this.#passing = true
    if (!this.#sink.started()) this.#sink.start(this.#status, this.#headers)
    if (this.#sink.write(this.#takeHeld())) return
    controller.pause()
    this.#sink.onDrain(() => controller.resume())
  }

  #takeHeld(): Buffer {
    const [first] = this.#held
    const all = this.#held.length > 1 ? Buffer.concat(this.#held) : (first ?? NOTHING)
    this.#held = []
    return all
  }

  #answered(rest: Buffer): void {
    const ttftMs = this.#ttftMs ?? this.#now() - this.#startedAt
    this.#end({ kind: 'answered', status: this.#status, headers: this.#headers, rest, ttftMs })
  }

  #fail(code: ErrorCode, message: string, cause?: unknown, told = false): void {
    const error = new GateError(code, message, { cause })
    this.#end({ kind: 'failed', status: this.#status, error, passed: this.#passing, told, ttftMs: this.#ttftMs })
  }

  #end(end: ForwardEnd): void {
    if (this.#ended) return
    this.#ended = true
    this.#held = []
    this.#resolve(end)
  }
}

function errorBody(message: string): Buffer {
  return Buffer.from(
    JSON.stringify({ error: { message, type: 'upstream_error', param: null, code: 'UPSTREAM_FAILED' } }),
  )
}
