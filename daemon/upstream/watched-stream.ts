import type { Dispatcher } from 'undici'
import type { Watch } from './answer-form.ts'
import type { ForwardEnd } from './forward-end.ts'
import type { Intake } from './intake.ts'
import type { Outflow } from './outflow.ts'
import { brokenEnd, type Progress, reportedEnd } from './passage-end.ts'

type Controller = Dispatcher.DispatchController

/** Whose stream it is. */
export type StreamOwner = {
  readonly isOver: () => boolean
  readonly progress: () => Progress
  /** From here on the client is given what comes. */
  readonly begin: (controller: Controller) => void
  /** All of it is known: what is held is the rest. */
  readonly complete: () => void
  readonly end: (end: ForwardEnd) => void
}

/** Up to here a stream is held until its first content comes. */
const MAX_HELD_BYTES = 2 ** 20

/** So much may come before anything is shown, where the stream is put together as a whole answer. */
const MAX_UNSEEN_BYTES = 32 * 2 ** 20
const NOTHING = Buffer.alloc(0)

/** A stream on its way through what watches it: it is passed on from its first content to its end, an error or garbage. */
export class WatchedStream {
  readonly #watch: Watch
  readonly #outflow: Outflow
  readonly #intake: Pick<Intake, 'pause' | 'resume'>
  readonly #owner: StreamOwner
  /** Something is being checked; meanwhile, the upstream has sent everything. */
  #isWaiting = false
  #isAllHere = false
  #unseenBytes = 0

  constructor(watch: Watch, outflow: Outflow, intake: Pick<Intake, 'pause' | 'resume'>, owner: StreamOwner) {
    this.#watch = watch
    this.#outflow = outflow
    this.#intake = intake
    this.#owner = owner
  }

  isComplete(): boolean {
    return this.#watch.isComplete()
  }

  feed(controller: Controller, chunk: Buffer): void {
    if (!this.#outflow.isPassing) this.#unseenBytes += chunk.length
    if (this.#unseenBytes <= MAX_UNSEEN_BYTES) this.#show(controller, this.#watch.feed(chunk), false)
    else this.#spoilt(controller, 'the upstream sent too much without an answer that can be shown', NOTHING)
  }

  /** The upstream has sent everything. */
  all(controller: Controller): void {
    const owed = this.#owner.isOver() || this.#isWaiting ? null : (this.#watch.owed?.() ?? null)
    if (owed !== null) this.feed(controller, owed)
    if (this.#owner.isOver()) return
    if (this.#isWaiting) this.#isAllHere = true
    else if (this.#watch.isComplete()) this.#show(controller, this.#watch.rest(), true)
    else {
      const message = 'the upstream ended the stream before it was complete'
      this.#owner.end(brokenEnd(this.#owner.progress(), 'UPSTREAM_TRUNCATED', message))
    }
  }

  /** @param isAll the stream has ended, and this is what the watch had not shown yet */
  #show(controller: Controller, shown: Buffer, isAll: boolean): void {
    const watch = this.#watch
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
      this.#outflow.hold(shown)
      if (!isAll) this.#outflow.hold(watch.rest())
    } else if (this.#outflow.isPassing) this.#outflow.pass(controller, shown)
    else {
      this.#outflow.hold(shown)
      if (this.#outflow.heldBytes() > MAX_HELD_BYTES || watch.hasContent()) this.#owner.begin(controller)
    }
    const isWaiting = this.#waitFor(controller, (more) => this.#show(controller, more, isAll))
    if (isEnd && !isWaiting) this.#owner.complete()
  }

  /** Lets nothing more come while something is checked. @returns whether anything is */
  #waitFor(controller: Controller, then: (more: Buffer) => void): boolean {
    const later = this.#watch.later?.() ?? null
    if (later === null || this.#isWaiting || this.#owner.isOver()) return later !== null
    this.#isWaiting = true
    this.#intake.pause(controller)
    later
      .then((more) => {
        this.#isWaiting = false
        if (!this.#owner.isOver()) then(more)
        this.#intake.resume(controller)
        if (this.#isAllHere && !this.#isWaiting) this.all(controller)
      })
      .catch((error: unknown) => {
        const cause = error instanceof Error ? error : new Error(String(error))
        const message = 'the answer of the upstream could not be checked'
        this.#owner.end(brokenEnd(this.#owner.progress(), 'UPSTREAM_FAILED', message, cause))
        controller.abort(cause)
      })
    return true
  }

  /** Ends with an error that the stream reports itself. */
  #reported(controller: Controller, failure: string, shown: Buffer): void {
    if (this.#outflow.isPassing) this.#outflow.pass(controller, shown)
    this.#owner.end(reportedEnd(this.#owner.progress(), failure, this.#watch.loggedFailure?.() ?? failure))
    controller.abort(new Error('the stream reported an error'))
  }

  /** Ends with what cannot be read, of which nothing is shown. */
  #spoilt(controller: Controller, garbage: string, shown: Buffer): void {
    const progress = this.#owner.progress()
    if (progress.isPassing) {
      this.#outflow.pass(controller, shown)
      this.#owner.end(brokenEnd(progress, 'UPSTREAM_FAILED', garbage))
    } else this.#owner.end(reportedEnd(progress, garbage))
    controller.abort(new Error(garbage))
  }
}
