import { CLOSING_BRACE, CLOSING_BRACKET, OPENING_BRACE, OPENING_BRACKET } from '../../../syntax/json/brackets.ts'

const OPENING = new Set([OPENING_BRACE, OPENING_BRACKET])
const CLOSING = new Set([CLOSING_BRACE, CLOSING_BRACKET])
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
/** Longest part that is kept; of a longer one nothing is. */
const MAX_PART_BYTES = 4 * 2 ** 20

/** Finds the objects in a JSON list that grows, wherever its chunks are cut. What is between them is not looked at. */
export class ListScanner {
  readonly #onPart: (json: string | null) => void
  #depth = 0
  #isText = false
  #isEscaped = false
  #hasEnded = false
  #part: string | null = ''
  frameStart = 0
  frameEnd = 0

  /** @param onPart receives each object's bytes as latin1, null for one that is too long */
  constructor(onPart: (json: string | null) => void) {
    this.#onPart = onPart
  }

  /** No object is open: the list itself is. */
  atBoundary(): boolean {
    return this.#depth <= 1
  }

  /** The list has ended; nothing after it is looked at. */
  hasEnded(): boolean {
    return this.#hasEnded
  }

  feed(chunk: Buffer): void {
    let start = this.#depth > 1 ? 0 : chunk.length
    this.frameEnd = 0
    if (this.#hasEnded) return
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
        if (this.#depth <= 0) {
          this.#end(chunk, at + 1)
          return
        }
        if (this.#depth !== 1) continue
        this.#keep(chunk, start, at + 1)
        const part = this.#part
        this.#part = ''
        start = chunk.length
        this.frameStart = this.frameEnd
        this.frameEnd = at + 1
        if (part !== '') this.#onPart(part)
      }
    }
    if (start < chunk.length) this.#keep(chunk, start, chunk.length)
  }

  #end(chunk: Buffer, after: number): void {
    this.#hasEnded = true
    this.frameEnd = after
    while ((chunk[this.frameEnd] ?? QUOTE) <= SPACE) this.frameEnd += 1
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const isTooLong = this.#part === null || this.#part.length + end - start > MAX_PART_BYTES
    this.#part = isTooLong ? null : this.#part + chunk.toString('latin1', start, end)
  }
}
