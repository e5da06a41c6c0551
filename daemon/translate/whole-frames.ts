const NOTHING = Buffer.alloc(0)
/** A frame that is longer is shown as it comes. */
const MAX_KEPT_BYTES = 64 * 2 ** 10

/**
 * Holds back the beginning of a frame until its end has come, so that what is shown of a stream ends between two frames
 * at any time: a ping or an error can follow, and what is cut off is never half a frame.
 */
export class WholeFrames {
  #kept: Buffer[] = []
  #keptBytes = 0
  #isInside = false

  /** Everything that was shown is whole. */
  atBoundary(): boolean {
    return !this.#isInside
  }

  /** @param end of the last frame that is complete, in bytes of the chunk; 0: none has ended in it */
  show(chunk: Buffer, end: number): Buffer {
    if (end === chunk.length && this.#keptBytes === 0) {
      this.#isInside = false
      return chunk
    }
    const shown = end === 0 ? [] : [...this.#take(), chunk.subarray(0, end)]
    if (end > 0) this.#isInside = false
    this.#keep(chunk.subarray(end))
    if (this.#isInside || this.#keptBytes > MAX_KEPT_BYTES) {
      this.#isInside = true
      shown.push(...this.#take())
    }
    return shown.length === 0 ? NOTHING : Buffer.concat(shown)
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return
    this.#kept.push(Buffer.from(part)) // a copy: the chunk that it is a part of may be large
    this.#keptBytes += part.length
  }

  #take(): readonly Buffer[] {
    const kept = this.#kept
    this.#kept = []
    this.#keptBytes = 0
    return kept
  }
}
