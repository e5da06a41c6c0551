import type { Dispatcher } from 'undici'
import { type ErrorCode, GateError } from '../../schemas/words/errors.ts'
import type { AnswerForm, Care, Sink } from './answer-form.ts'
import type { OverConnection } from './connector.ts'
import type { ForwardEnd, ResponseHeaders } from './forward-end.ts'
import { Intake, type Receiver } from './intake.ts'
import { isOfType } from './media-type.ts'
import { Outflow } from './outflow.ts'
import { brokenEnd, connectionEnd, missingIn, overloadedEnd, type Progress, reportedEnd } from './passage-end.ts'
import { type StreamOwner, WatchedStream } from './watched-stream.ts'

type Controller = Dispatcher.DispatchController

/** An answer that is not a stream is held completely up to here, so that nothing is sent of one that breaks off. */
const MAX_HELD_BYTES = 2 ** 20
/** One that has to be held completely may be as long as a request by default. */
const MAX_WHOLE_BYTES = 32 * 2 ** 20
const MAX_ERROR_BYTES = 64 * 2 ** 10
const none = () => 0
const NO_HEADERS: ResponseHeaders = {}

/** What passes one answer on, as undici's handler of its request. A class because one is made per request, on the hot path. */
export class Passage implements OverConnection, Receiver, StreamOwner {
  readonly #form: AnswerForm
  readonly #mayHold: Care['hold']
  readonly #intake: Intake
  readonly #outflow: Outflow
  readonly #now: () => number
  readonly #resolve: (end: ForwardEnd) => void
  readonly #startedAt: number
  #controller: Controller | null = null
  /** What has come over the connection, for this request and those before it. */
  #bytesRead = none
  #bytesReadBefore = 0
  #ended = false
  #cancelled = false
  #status = 0
  #headers = NO_HEADERS
  #isRefusal = false
  #isCalledStream = false
  /** The answer, once it has turned out to be one. */
  #stream: WatchedStream | null = null
  #ttftMs: number | null = null

  constructor(sink: Sink, form: AnswerForm, care: Care, now: () => number, resolve: (end: ForwardEnd) => void) {
    this.#form = form
    this.#mayHold = care.hold
    this.#intake = new Intake(this, care)
    this.#outflow = new Outflow(sink, this.#intake)
    this.#now = now
    this.#resolve = resolve
    this.#startedAt = now()
  }

  cancel(): void {
    if (this.#ended) return
    this.#cancelled = true
    // ended first: aborting calls onResponseError at once, and a client that leaves is not a failure of the upstream
    this.end({ kind: 'gone', status: this.#status, ttftMs: this.#ttftMs })
    this.#controller?.abort(new Error('the client went away'))
  }

  overConnection(bytesRead: () => number): void {
    this.#bytesRead = bytesRead
    this.#bytesReadBefore = bytesRead() // that of a request which is never begun
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    this.#bytesReadBefore = this.#bytesRead()
    if (this.#cancelled) controller.abort(new Error('the client went away'))
  }

  onResponseStart(controller: Controller, status: number, headers: ResponseHeaders): void {
    if (status < 200) return
    this.#status = status
    this.#headers = this.#intake.begin(controller, headers)
    this.#isRefusal = status >= 300 // redirects too: following one could take the key elsewhere
    this.#isCalledStream = !this.#isRefusal && isOfType(headers['content-type'], this.#form.mediaType)
  }

  onUnreadable(cause: Error): void {
    if (cause instanceof GateError) this.#overloaded(cause)
    else this.#broke('UPSTREAM_FAILED', 'the upstream sent a compressed answer that cannot be unpacked', cause)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#intake.feed(controller, chunk)
  }

  onBytes(controller: Controller, bytes: Buffer): void {
    if (this.#ended) {
      controller.abort(new Error('the upstream kept sending after the end of its answer'))
      return
    }
    let chunk = bytes
    if (chunk.length === 0 || !this.#counted(controller, chunk.length)) return
    if (this.#ttftMs === null) {
      if (!this.#isRefusal && !this.#lookAt(chunk)) {
        if (!this.#hold(chunk)) this.#beginPassing(controller)
        return
      }
      this.#ttftMs = this.#now() - this.#startedAt
      if (this.#stream !== null && this.#outflow.heldBytes() > 0) chunk = Buffer.concat([this.#outflow.take(), chunk])
    }
    if (this.#stream !== null) this.#stream.feed(controller, chunk)
    else if (this.#isRefusal) this.#holdRefusal(controller, chunk)
    else if (this.#outflow.isPassing) this.#outflow.pass(controller, chunk)
    else if (!this.#hold(chunk)) this.#beginPassing(controller)
  }

  /** Counts what may be kept. @returns false when it is too much, which ends the answer */
  #counted(controller: Controller, bytes: number): boolean {
    try {
      if (!this.#outflow.isPassing) this.#mayHold(bytes)
      return true
    } catch (error) {
      if (!(error instanceof GateError)) throw error
      this.#overloaded(error)
      controller.abort(error)
      return false
    }
  }

  /** An answer is taken as what it is, whatever it is called. @returns whether its first bytes tell */
  #lookAt(start: Buffer): boolean {
    const isStream = this.#form.looksLikeStream(start, this.#isCalledStream)
    if (isStream === true) this.#stream = this.#newStream()
    if (isStream === !this.#isCalledStream) {
      this.#headers = { ...this.#headers, 'content-type': isStream ? this.#form.mediaType : 'application/json' }
    }
    return isStream !== null
  }

  #newStream(): WatchedStream {
    return new WatchedStream(this.#form.watch(), this.#outflow, this.#intake, this)
  }

  onResponseEnd(controller: Controller): void {
    if (!this.#ended) this.#intake.end(controller)
  }

  onAll(): void {
    if (this.#ended) return
    if (this.#isCalledStream && this.#ttftMs === null) this.#stream = this.#newStream() // nothing came
    if (this.#isRefusal) {
      this.end({ kind: 'rejected', status: this.#status, headers: this.#headers, body: this.#outflow.take() })
    } else if (this.#stream !== null && this.#controller !== null) this.#stream.all(this.#controller)
    else if (this.#outflow.isPassing) this.complete()
    else if (this.#outflow.hasBegun()) this.#noStream()
    else this.#whole(this.#outflow.take())
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.#ended) return
    if (this.#stream?.isComplete() === true) {
      this.onAll() // nothing is missing, however the connection ends
      return
    }
    const wasKept = this.#bytesReadBefore > 0 && this.#bytesRead() === this.#bytesReadBefore
    this.end(connectionEnd(this.progress(), error, wasKept))
  }

  /** Keeps the body of an error; one that is too long is not waited for, and is no longer JSON. */
  #holdRefusal(controller: Controller, chunk: Buffer): void {
    this.#hold(chunk)
    if (this.#outflow.heldBytes() <= MAX_ERROR_BYTES) return
    const headers = { ...this.#headers, 'content-type': 'text/plain' }
    this.end({ kind: 'rejected', status: this.#status, headers, body: Buffer.alloc(0) })
    controller.abort(new Error('the body of the error is too long'))
  }

  /** Keeps a chunk of what is no stream, as far as is known. @returns whether all that is kept is still little enough */
  #hold(chunk: Buffer): boolean {
    this.#outflow.hold(chunk)
    return this.#outflow.heldBytes() <= (this.#form.isWhole === true ? MAX_WHOLE_BYTES : MAX_HELD_BYTES)
  }

  #beginPassing(controller: Controller): void {
    if (this.#outflow.hasBegun()) {
      this.#noStream()
      controller.abort(new Error('the upstream sent no stream'))
      return
    }
    if (this.#form.isWhole === true) {
      this.#broke('UPSTREAM_FAILED', 'the answer of the upstream is too long to be translated')
      controller.abort(new Error('the answer is too long'))
      return
    }
    this.begin(controller)
  }

  begin(controller: Controller): void {
    this.#outflow.begin(controller, this.#status, this.#headers)
  }

  #whole(answer: Buffer): void {
    const failure = this.#form.failureOf(answer) ?? missingIn(this.#headers, answer)
    if (failure === null) this.#answered(answer)
    else this.end(reportedEnd(this.progress(), failure))
  }

  complete(): void {
    this.#answered(this.#outflow.take())
  }

  #answered(rest: Buffer): void {
    const ttftMs = this.#ttftMs ?? this.#now() - this.#startedAt
    this.end({ kind: 'answered', status: this.#status, headers: this.#headers, rest, ttftMs })
  }

  #overloaded(error: GateError): void {
    this.end(overloadedEnd(this.progress(), error))
  }

  #broke(code: ErrorCode, message: string, cause?: Error): void {
    this.end(brokenEnd(this.progress(), code, message, cause))
  }

  #noStream(): void {
    this.#broke('UPSTREAM_FAILED', 'the upstream was asked for a stream but sent something else')
  }

  isOver(): boolean {
    return this.#ended
  }

  progress(): Progress {
    return { status: this.#status, ttftMs: this.#ttftMs, isPassing: this.#outflow.isPassing }
  }

  end(end: ForwardEnd): void {
    if (this.#ended) return
    this.#ended = true
    this.#outflow.take()
    this.#intake.destroy()
    this.#resolve(end)
  }
}
