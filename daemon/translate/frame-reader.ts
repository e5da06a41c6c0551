import type { EventReader } from './dialect.ts'
import { type FrameScanner, type OnFrame, sseEvents } from './frame-scanner.ts'
import type { NeutralEvent } from './neutral.ts'
import { PartSequence } from './part-sequence.ts'

type Event<Kind extends NeutralEvent['kind']> = Extract<NeutralEvent, { readonly kind: Kind }>

/** Reads a stream up to its end, or to the first frame that fails. What a frame says is the matter of each dialect. */
export abstract class FrameReader implements EventReader {
  protected readonly parts = new PartSequence()
  protected hasBegun = false
  readonly #scanner: FrameScanner
  readonly #events: NeutralEvent[] = []
  #hasEnded = false

  /** @param scanner finds the frames in the bytes */
  constructor(scanner: (onFrame: OnFrame) => FrameScanner = sseEvents) {
    this.#scanner = scanner((data, type = '') => this.#frame(data, type))
  }

  /** @throws Error with what the client is told of a failure */
  protected abstract read(data: string, type: string): void
  /** What the end of the answer says. */
  protected abstract ending(): Omit<Event<'end'>, 'kind'>
  abstract isComplete(): boolean

  feed(chunk: Buffer): readonly NeutralEvent[] {
    this.#scanner.feed(chunk)
    return this.#events.splice(0)
  }

  end(): readonly NeutralEvent[] {
    this.close()
    return this.#events.splice(0)
  }

  protected begin(start: Omit<Event<'begin'>, 'kind'>): void {
    this.hasBegun = true
    this.#events.push({ kind: 'begin', ...start })
  }

  protected close(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.parts.endAll()
    this.#events.push(...this.parts.take(), { kind: 'end', ...this.ending() })
  }

  #frame(data: string, type: string): void {
    if (this.#hasEnded) return
    try {
      this.read(data, type)
      this.#events.push(...this.parts.take())
    } catch (error) {
      this.#hasEnded = true
      this.#events.push({ kind: 'error', message: error instanceof Error ? error.message : String(error) })
    }
  }
}
