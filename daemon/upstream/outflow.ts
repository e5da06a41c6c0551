import type { Dispatcher } from 'undici'
import type { Sink } from './answer-form.ts'
import type { ResponseHeaders } from './forward-end.ts'
import { Held } from './held.ts'
import type { Intake } from './intake.ts'

type Controller = Dispatcher.DispatchController

/**
 * Where an answer goes: held until it is known what becomes of it, then passed to its client as fast as that one reads.
 * A class because one is made per request, on the hot path.
 */
export class Outflow {
  readonly #sink: Sink
  readonly #intake: Pick<Intake, 'pause' | 'resume'>
  readonly #held = new Held()
  /** Something was passed, or may be: what comes next is not held. */
  isPassing = false

  constructor(sink: Sink, intake: Pick<Intake, 'pause' | 'resume'>) {
    this.#sink = sink
    this.#intake = intake
  }

  /** The client was told that an answer comes, such as a stream that is kept alive. */
  hasBegun(): boolean {
    return this.#sink.started()
  }

  hold(chunk: Buffer): void {
    this.#held.add(chunk)
  }

  /** What is held takes in memory. */
  heldBytes(): number {
    return this.#held.bytes
  }

  /** Hands over everything that is held. */
  take(): Buffer {
    return this.#held.take()
  }

  /** Passes what is held. */
  begin(controller: Controller, status: number, headers: ResponseHeaders): void {
    this.isPassing = true
    if (!this.#sink.started()) this.#sink.start(status, headers)
    this.pass(controller, this.#held.take())
  }

  /** Lets nothing more come until the client has read what it was given. */
  pass(controller: Controller, bytes: Buffer): void {
    if (bytes.length === 0 || this.#sink.write(bytes)) return
    this.#intake.pause(controller)
    this.#sink.onDrain(() => this.#intake.resume(controller))
  }
}
