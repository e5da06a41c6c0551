import { Blocks, type Count } from './blocks.ts'

/** The last bytes of a recorded answer, and where its events begin, which are numbered from 0 on. */
export class Tape {
  readonly #blocks: Blocks
  /** Offsets of the events from `#firstEvent` on. */
  #events: number[] = []
  #firstEvent = 0

  constructor(count: Count) {
    this.#blocks = new Blocks(count)
  }

  /** Offset of the first byte that is kept. */
  from(): number {
    return this.#blocks.from()
  }

  /** Offset after the last. */
  to(): number {
    return this.#blocks.to()
  }

  /** Bytes from an offset on that is kept: some of them. */
  at(offset: number): Buffer {
    return this.#blocks.at(offset)
  }

  /** Adds bytes that are no event. */
  append(bytes: Buffer): void {
    this.#blocks.append(bytes)
  }

  addEvents(events: readonly Buffer[]): void {
    for (const event of events) {
      this.#events.push(this.to())
      this.#blocks.append(event)
    }
  }

  /**
   * The offset after an event; null when that is no longer kept, infinite while it has not come.
   * @param number -1: of the first
   */
  offsetAfter(number: number): number | null {
    const index = number + 1 - this.#firstEvent
    if (index < 0) return null
    return this.#events[index] ?? (index === this.#events.length ? this.to() : Number.POSITIVE_INFINITY)
  }

  /** Forgets the first bytes until `maxBytes` are left. @param needed nothing from here on is forgotten */
  trim(maxBytes: number, needed: number): void {
    this.#blocks.trim(maxBytes, needed)
    const kept = this.#events.findIndex((offset) => offset >= this.from())
    const gone = kept === -1 ? this.#events.length : kept
    this.#events.splice(0, gone)
    this.#firstEvent += gone
  }

  clear(): void {
    this.#blocks.clear()
    this.#firstEvent += this.#events.length
    this.#events = []
  }
}
