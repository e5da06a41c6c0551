import type { Dispatcher } from 'undici'
import { type ErrorCode, GateError } from '../../schemas/words/errors.ts'
import { CLOSING_BRACE, OPENING_BRACE } from '../../syntax/json/brackets.ts'
import type { AnswerForm, Care, Sink, Watch } from './answer-form.ts'
import { isOutOfDescriptors, noConnection, type OverConnection } from './connector.ts'
import type { ForwardEnd, ResponseHeaders } from './forward-end.ts'
import { Held } from './held.ts'
import { Intake, type Receiver } from './intake.ts'
import { isOfType } from './media-type.ts'

type Controller = Dispatcher.DispatchController

/** An answer that is not a stream is held completely up to here, so that nothing is sent of one that breaks off. */
const MAX_HELD_BYTES = 2 ** 20
/** One that has to be held completely may be as long as a request by default. */
const MAX_WHOLE_BYTES = 32 * 2 ** 20
const MAX_ERROR_BYTES = 64 * 2 ** 10
const SPACE = 0x20
const none = () => 0
const NO_HEADERS: ResponseHeaders = {}

/** What passes one answer on, as undici's handler of its request. A class because one is made per request, on the hot path. */
export class Passage implements OverConnection, Receiver {
  readonly #sink: Sink
  readonly #form: AnswerForm
  readonly #mayHold: Care['hold']
  readonly #intake: Intake
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
  #watch: Watch | null = null
  #passing = false
  /** Something is being looked at; meanwhile, the upstream has sent everything. */
  #isWaiting = false
  #isAllHere = false
  readonly #held = new Held()
  #ttftMs: number | null = null

  constructor(sink: Sink, form: AnswerForm, care: Care, now: () => number, resolve: (end: ForwardEnd) => void) {
    this.#sink = sink
    this.#form = form
    this.#mayHold = care.hold
    this.#intake = new Intake(this, care)
    this.#now = now
    this.#resolve = resolve
    this.#startedAt = now()
  }

  cancel(): void {
    if (this.#ended) return
    this.#cancelled = true
    // ended first: aborting calls onResponseError at once, and a client that leaves is not a failure of the upstream
    this.#end({ kind: 'gone', status: this.#status, ttftMs: this.#ttftMs })
    this.#controller?.abort(new Error('the client went away'))
  }

  overConnection(bytesRead: () => number): void {
    this.#bytesRead = bytesRead
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
      if (this.#watch !== null && this.#held.bytes > 0) chunk = Buffer.concat([this.#held.take(), chunk])
    }
    if (this.#watch !== null) this.#passStream(controller, this.#watch, this.#watch.feed(chunk))
    else if (this.#isRefusal) this.#holdRefusal(controller, chunk)
    else if (this.#passing) this.#pass(controller, chunk)
    else if (!this.#hold(chunk)) this.#beginPassing(controller)
  }

  /** Counts what may be kept. @returns false when it is too much, which ends the answer */
  #counted(controller: Controller, bytes: number): boolean {
    try {
      if (!this.#passing) this.#mayHold(bytes)
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
    if (isStream === true) this.#watch = this.#form.watch()
    if (isStream === !this.#isCalledStream) {
      this.#headers = { ...this.#headers, 'content-type': isStream ? this.#form.mediaType : 'application/json' }
    }
    return isStream !== null
  }

  onResponseEnd(controller: Controller): void {
    if (!this.#ended) this.#intake.end(controller)
  }

  onAll(): void {
    if (this.#ended) return
    if (this.#isWaiting) {
      this.#isAllHere = true
      return
    }
    if (this.#isCalledStream && this.#ttftMs === null) this.#watch = this.#form.watch() // nothing came
    const watch = this.#watch
    if (this.#isRefusal) {
      this.#end({ kind: 'rejected', status: this.#status, headers: this.#headers, body: this.#held.take() })
    } else if (watch !== null && !watch.isComplete()) {
      this.#broke('UPSTREAM_TRUNCATED', 'the upstream ended the stream before it was complete')
    } else if (watch !== null && this.#controller !== null) {
      this.#passStream(this.#controller, watch, watch.rest(), true)
    } else if (this.#sink.started() && !this.#passing) this.#noStream()
    else if (!this.#passing) this.#whole(this.#held.take())
    else this.#answered(this.#held.take())
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.#ended) return
    const code = 'code' in error ? String(error.code) : error.name
    if (this.#watch?.isComplete() === true)
      this.onAll() // nothing is missing, however the connection ends
    else if (error instanceof GateError && this.#status === 0)
      this.#end({ kind: 'unsent', status: 0, error, ttftMs: null })
    else if (isOutOfDescriptors(error)) this.#overloaded(noConnection(error))
    else if (/TIMEOUT/i.test(code)) this.#broke('UPSTREAM_TIMEOUT', 'the upstream did not answer in time', error)
    else if (this.#status === 0) this.#unreached(error)
    else this.#broke('UPSTREAM_TRUNCATED', 'the connection to the upstream broke before its answer was complete', error)
  }

  /** @param isAll the stream has ended, and this is what the watch had not shown yet */
  #passStream(controller: Controller, watch: Watch, shown: Buffer, isAll = false): void {
    const failure = watch.failure()
    if (failure !== null) {
      this.#reported(controller, failure, shown)
      return
    }
    const garbage = watch.garbage?.() ?? null
    if (garbage !== null) {
      this.#spoilt(controller, garbage, shown)
      return
    }
    const isEnd = isAll || (watch.isDone() && watch.isComplete())
    if (isEnd) {
      this.#hold(shown)
      if (!isAll) this.#hold(watch.rest())
    } else if (this.#passing) this.#pass(controller, shown)
    else if (!this.#hold(shown) || watch.hasContent()) this.#beginPassing(controller)
    const isWaiting = this.#waitFor(controller, watch, (more) => this.#passStream(controller, watch, more, isAll))
    if (isEnd && !isWaiting) this.#answered(this.#held.take())
  }

  /** Lets nothing more come while something is looked at. @returns whether anything is */
  #waitFor(controller: Controller, watch: Watch, then: (more: Buffer) => void): boolean {
    const later = watch.later?.() ?? null
    if (later === null || this.#isWaiting || this.#ended) return later !== null
    this.#isWaiting = true
    this.#intake.pause(controller)
    later
      .then((more) => {
        this.#isWaiting = false
        if (!this.#ended) then(more)
        this.#intake.resume(controller)
        if (this.#isAllHere && !this.#isWaiting) this.onAll()
      })
      .catch((error: unknown) => {
        const cause = error instanceof Error ? error : new Error(String(error))
        this.#broke('UPSTREAM_FAILED', 'the answer of the upstream could not be checked', cause)
        controller.abort(cause)
      })
    return true
  }

  /** Ends with an error that the stream reports itself. */
  #reported(controller: Controller, failure: string, chunk: Buffer): void {
    const known = { status: this.#status, ttftMs: this.#ttftMs }
    if (!this.#passing) {
      const logged = this.#watch?.loggedFailure?.() ?? failure
      this.#end({ kind: 'reported', ...known, error: new GateError('UPSTREAM_FAILED', failure, { logged }) })
    } else {
      // the upstream's own words go to the client as they are; the attempt is a failure all the same
      this.#pass(controller, chunk)
      const error = new GateError('UPSTREAM_FAILED', 'the upstream reported an error inside the stream')
      this.#end({ kind: 'reported-within', ...known, error })
    }
    controller.abort(new Error('the stream reported an error'))
  }

  /** Ends with what cannot be read, of which nothing is shown. */
  #spoilt(controller: Controller, garbage: string, chunk: Buffer): void {
    if (this.#passing) {
      this.#pass(controller, chunk)
      this.#broke('UPSTREAM_FAILED', garbage)
    } else {
      const error = new GateError('UPSTREAM_FAILED', garbage)
      this.#end({ kind: 'reported', status: this.#status, error, ttftMs: this.#ttftMs })
    }
    controller.abort(new Error(garbage))
  }

  /** Keeps the body of an error; one that is too long is not waited for, and is no longer JSON. */
  #holdRefusal(controller: Controller, chunk: Buffer): void {
    this.#hold(chunk)
    if (this.#held.bytes <= MAX_ERROR_BYTES) return
    const headers = { ...this.#headers, 'content-type': 'text/plain' }
    this.#end({ kind: 'rejected', status: this.#status, headers, body: Buffer.alloc(0) })
    controller.abort(new Error('the body of the error is too long'))
  }

  /** Keeps a chunk. @returns whether all that is kept is still little enough */
  #hold(chunk: Buffer): boolean {
    this.#held.add(chunk)
    const isWhole = this.#watch === null && this.#form.isWhole === true
    return this.#held.bytes <= (isWhole ? MAX_WHOLE_BYTES : MAX_HELD_BYTES)
  }

  #beginPassing(controller: Controller): void {
    if (this.#watch === null && this.#sink.started()) {
      this.#noStream()
      controller.abort(new Error('the upstream sent no stream'))
      return
    }
    if (this.#watch === null && this.#form.isWhole === true) {
      this.#broke('UPSTREAM_FAILED', 'the answer of the upstream is too long to be translated')
      controller.abort(new Error('the answer is too long'))
      return
    }
    this.#passing = true
    if (!this.#sink.started()) this.#sink.start(this.#status, this.#headers)
    this.#pass(controller, this.#held.take())
  }

  #pass(controller: Controller, bytes: Buffer): void {
    if (bytes.length === 0 || this.#sink.write(bytes)) return
    this.#intake.pause(controller)
    this.#sink.onDrain(() => this.#intake.resume(controller))
  }

  #whole(answer: Buffer): void {
    const failure = this.#form.failureOf(answer) ?? this.#missingIn(answer)
    if (failure === null) this.#answered(answer)
    else {
      const error = new GateError('UPSTREAM_FAILED', failure)
      this.#end({ kind: 'reported', status: this.#status, error, ttftMs: this.#ttftMs })
    }
  }

  /** Whole answers are not parsed where bytes pass: not all that clients can read is JSON, such as Python's NaN. */
  #missingIn(answer: Buffer): string | null {
    if (this.#headers['content-length'] !== undefined || answer[0] !== OPENING_BRACE) return null
    const last = answer.findLast((byte) => byte > SPACE)
    return last === CLOSING_BRACE ? null : 'the upstream sent a part of an answer'
  }

  #answered(rest: Buffer): void {
    const ttftMs = this.#ttftMs ?? this.#now() - this.#startedAt
    this.#end({ kind: 'answered', status: this.#status, headers: this.#headers, rest, ttftMs })
  }

  #unreached(cause: Error): void {
    const error = new GateError('UPSTREAM_FAILED', 'the upstream could not be reached', { cause })
    const wasKept = this.#bytesReadBefore > 0 && this.#bytesRead() === this.#bytesReadBefore
    this.#end({ kind: 'unreached', status: 0, error, ttftMs: null, wasKept })
  }

  #overloaded(error: GateError): void {
    if (!this.#passing) this.#end({ kind: 'overloaded', status: 0, error, ttftMs: null })
    else this.#end({ kind: 'overloaded-within', status: this.#status, error, ttftMs: this.#ttftMs })
  }

  #broke(code: ErrorCode, message: string, cause?: Error): void {
    const error = new GateError(code, message, { cause })
    const kind = this.#passing ? 'broken-within' : 'broken-before'
    this.#end({ kind, status: this.#status, error, ttftMs: this.#ttftMs })
  }

  #noStream(): void {
    this.#broke('UPSTREAM_FAILED', 'the upstream was asked for a stream but sent something else')
  }

  #end(end: ForwardEnd): void {
    if (this.#ended) return
    this.#ended = true
    this.#held.take()
    this.#intake.destroy()
    this.#resolve(end)
  }
}
