import { type FrameScanner, type OnFrame, sseEvents } from './frame-scanner.ts'
import type { NeutralEvent } from './neutral.ts'
import type { EventReader } from './neutral-form.ts'
import { PartSequence } from './part-sequence.ts'
import { TextHole } from './text-hole.ts'

type Event<Kind extends NeutralEvent['kind']> = Extract<NeutralEvent, { readonly kind: Kind }>

/** Reads a stream up to its end, or to the first frame that fails. What a frame says is the matter of each dialect. */
export abstract class FrameReader implements EventReader {
  protected readonly parts = new PartSequence()
  protected hasBegun = false
  readonly #scanner: FrameScanner
  #events: NeutralEvent[] = []
  readonly #hole = new TextHole()
  /** Of the part that the frame before went on with. */
  #goesOn: string | null = null
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
    return this.#take()
  }

  owed(): Buffer | null {
    return this.#hasEnded ? null : (this.#scanner.owed?.() ?? null)
  }

  end(): readonly NeutralEvent[] {
    try {
      this.close()
    } catch (error) {
      this.#fail(error)
    }
    return this.#take()
  }

  #take(): readonly NeutralEvent[] {
    const events = this.#events
    this.#events = []
    return events
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

  #fail(error: unknown): void {
    this.#hasEnded = true
    this.#events.push({ kind: 'error', message: error instanceof Error ? error.message : String(error) })
  }

  #frame(data: string | null, type: string): void {
    if (this.#hasEnded) return
    try {
      if (data === null) throw new Error('the upstream sent an event that is too long to be translated')
      if (this.#isMore(data, type)) this.#events.push(...this.parts.take())
      else this.#readClosely(data, type)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Takes a frame that is the one before with another text. @returns whether it is one */
  #isMore(data: string, type: string): boolean {
    const key = this.#goesOn
    if (key === null || key !== this.parts.openKey()) return false
    const text = this.#hole.textOf(data, type)
    if (text !== null) this.parts.delta(key, text)
    return text !== null
  }

  #readClosely(data: string, type: string): void {
    this.read(data, type)
    const events = this.parts.take()
    this.#events.push(...events)
    const [only, another] = events
    this.#goesOn = null
    if (only?.kind !== 'more' || another !== undefined || only.logprobs !== undefined) return
    this.#goesOn = this.parts.openKey()
    this.#hole.learn(data, type, only.text)
  }
}
