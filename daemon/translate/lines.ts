import { isJson } from '../../syntax/json/is-json.ts'
import { utf8Of } from './sse.ts'

const LF = 0x0a
const LINE_END = Buffer.of(LF)
/** Longest line that is kept; of a longer one nothing is. */
const MAX_LINE_BYTES = 4 * 2 ** 20

/** Finds the lines of a stream of JSON objects, wherever its chunks are cut. */
export class LineScanner {
  readonly #onLine: (json: string | null) => void
  #line = ''
  #isTooLong = false
  frameStart = 0
  frameEnd = 0

  /** @param onLine receives each line's bytes as latin1 (see `utf8Of`), null for one that is too long; empty ones are left out */
  constructor(onLine: (json: string | null) => void) {
    this.#onLine = onLine
  }

  /** Nothing of a line is pending. */
  atBoundary(): boolean {
    return this.#line === '' && !this.#isTooLong
  }

  /** What ends the line that is open, where it is complete but for that; null: it is cut, or there is none. */
  owed(): Buffer | null {
    return !this.#isTooLong && isJson(utf8Of(this.#line)) ? LINE_END : null
  }

  feed(chunk: Buffer): void {
    let start = 0
    this.frameEnd = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      this.#keep(chunk, start, end)
      start = end + 1
      this.frameStart = this.frameEnd
      this.frameEnd = start
      this.#end()
    }
    this.#keep(chunk, start, chunk.length)
  }

  #end(): void {
    const line = this.#isTooLong ? null : this.#line
    this.#line = ''
    this.#isTooLong = false
    if (line === null || line.trim() !== '') this.#onLine(line)
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    this.#isTooLong ||= this.#line.length + end - start > MAX_LINE_BYTES
    this.#line = this.#isTooLong ? '' : this.#line + chunk.toString('latin1', start, end)
  }
}
