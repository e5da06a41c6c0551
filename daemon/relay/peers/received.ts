import { MOST_UNTAKEN_BYTES, TELL_BYTES } from './sent.ts'

/** What the other side of a channel says: it waits here until it is taken. */
export class Received {
  readonly #queue: Buffer[] = []
  #total = 0
  #taken = 0
  #told = 0
  #hasEnd = false
  #isEndTaken = false

  /** Bytes that came, the end counted as one more. */
  get total(): number {
    return this.#total
  }

  get isEndTaken(): boolean {
    return this.#isEndTaken
  }

  /** @returns false: that is more than may wait */
  add(chunk: Buffer): boolean {
    this.#total += chunk.length
    this.#queue.push(chunk)
    return this.#total - this.#taken <= MOST_UNTAKEN_BYTES
  }

  /** It comes again after a cut. */
  addEnd(): void {
    if (this.#hasEnd) return
    this.#hasEnd = true
    this.#total += 1
  }

  /**
   * Takes what is next.
   * @param isWanted whether there is room for bytes
   * @returns null: the end, once; undefined: nothing
   */
  next(isWanted: boolean): Buffer | null | undefined {
    const chunk = isWanted ? this.#queue.shift() : undefined
    this.#taken += chunk?.length ?? 0
    if (chunk !== undefined || this.#queue.length > 0 || !this.#hasEnd || this.#isEndTaken) return chunk
    this.#isEndTaken = true
    this.#taken += 1
    return null
  }

  /** How much was taken, when it is time to tell the other side; null: it is not. @param isAnew it may not have heard */
  toTell(isAnew = false): number | null {
    const isDue = this.#isEndTaken ? this.#taken !== this.#told : this.#taken - this.#told >= TELL_BYTES
    if (this.#taken === 0 || (!isDue && !isAnew)) return null
    this.#told = this.#taken
    return this.#taken
  }
}
