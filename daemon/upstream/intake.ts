import type { Dispatcher } from 'undici'
import { codingOf, type Decoder } from '../../wire/decoder.ts'
import type { Care } from './answer-form.ts'
import type { ResponseHeaders } from './forward-end.ts'
import type { BodyRedactor } from './redactor.ts'
import { createUnpacker } from './unpack.ts'

type Controller = Dispatcher.DispatchController

/** Gets an answer as clients may see it. */
export type Receiver = {
  readonly onBytes: (controller: Controller, chunk: Buffer) => void
  readonly onAll: () => void
  /** It cannot be unpacked, or there is no room for that: a GateError. */
  readonly onUnreadable: (cause: Error) => void
}

/**
 * Unpacks an answer and takes secrets out of it, before anything looks at it. A class because one is made per request,
 * on the hot path.
 */
export class Intake {
  readonly #receiver: Receiver
  readonly #care: Care
  #clean: BodyRedactor | null = null
  #decoder: Decoder | null = null
  #pauses = 0

  constructor(receiver: Receiver, care: Care) {
    this.#receiver = receiver
    this.#care = care
  }

  /** @returns the headers as clients may see them */
  begin(controller: Controller, headers: ResponseHeaders): ResponseHeaders {
    const { redactor } = this.#care
    if (redactor !== null) this.#clean = redactor.body()
    const cleaned = redactor === null ? headers : redactor.headers(headers)
    return headers['content-encoding'] === undefined ? cleaned : this.#decode(controller, cleaned)
  }

  /** An answer that is compressed although that was not asked for is unpacked: else nothing in it could be read. */
  #decode(controller: Controller, headers: ResponseHeaders): ResponseHeaders {
    const { 'content-encoding': encoding, ...others } = headers
    if (codingOf(String(encoding)) === 'identity') return others
    this.#decoder = createUnpacker(String(encoding), this.#care.hold, {
      onData: (chunk) => this.#clear(controller, chunk),
      onDrain: () => controller.resume(),
      onEnd: () => this.#finish(controller),
      onError: (cause) => {
        this.#receiver.onUnreadable(cause)
        controller.abort(cause)
      },
    })
    return others
  }

  feed(controller: Controller, chunk: Buffer): void {
    if (this.#decoder === null) this.#clear(controller, chunk)
    else if (!this.#decoder.write(chunk)) controller.pause()
  }

  end(controller: Controller): void {
    if (this.#decoder === null) this.#finish(controller)
    else this.#decoder.end()
  }

  /** Several things may hold the answer up at once: it goes on when each of them has let go. */
  pause(controller: Controller): void {
    if (this.#pauses === 0) (this.#decoder ?? controller).pause()
    this.#pauses += 1
  }

  resume(controller: Controller): void {
    this.#pauses -= 1
    if (this.#pauses === 0) (this.#decoder ?? controller).resume()
  }

  /** Nothing of it is wanted any more. */
  destroy(): void {
    this.#clean = null
    this.#decoder?.destroy()
  }

  #clear(controller: Controller, raw: Buffer): void {
    this.#receiver.onBytes(controller, this.#clean === null ? raw : this.#clean.feed(raw))
  }

  /** The last bytes may have looked like the beginning of a secret. */
  #finish(controller: Controller): void {
    const kept = this.#clean?.end()
    this.#clean = null
    if (kept !== undefined && kept.length > 0) this.#receiver.onBytes(controller, kept)
    this.#receiver.onAll()
  }
}
