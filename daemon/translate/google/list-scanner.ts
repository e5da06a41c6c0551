const OPENING = new Set([0x7b, 0x5b])
const CLOSING = new Set([0x7d, 0x5d])
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Longest part that is kept; a longer one is passed over. */
const MAX_PART_BYTES = 4 * 2 ** 20

/** Finds the objects in a JSON list that grows, wherever its chunks are cut. What is between them is not looked at. */
export class ListScanner {
  readonly #onPart: (json: string) => void
  #depth = 0
  #isText = false
  #isEscaped = false
  #part = ''

  /** @param onPart receives each object's bytes as latin1 */
  constructor(onPart: (json: string) => void) {
    this.#onPart = onPart
  }

  /** No object is open: the list itself is. */
  atBoundary(): boolean {
    return this.#depth <= 1
  }

  feed(chunk: Buffer): void {
    let start = this.#depth > 1 ? 0 : chunk.length
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0
      if (this.#isText) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === BACKSLASH) this.#isEscaped = true
        else if (byte === QUOTE) this.#isText = false
      } else if (byte === QUOTE) this.#isText = true
      else if (OPENING.has(byte)) {
        this.#depth += 1
        if (this.#depth === 2) start = at
      } else if (CLOSING.has(byte)) {
        this.#depth -= 1
        if (this.#depth !== 1) continue
        this.#keep(chunk, start, at + 1)
        if (this.#part !== '') this.#onPart(this.#part)
        this.#part = ''
        start = chunk.length
      }
    }
    if (start < chunk.length) this.#keep(chunk, start, chunk.length)
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const isTooLong = this.#part.length + end - start > MAX_PART_BYTES
    this.#part = isTooLong ? '' : this.#part + chunk.toString('latin1', start, end)
  }
}
