import { MOST_DATA_BYTES } from './frames.ts'

/** So much may be on its way, kept here until the other side has taken it. */
const WINDOW_BYTES = 2 ** 20

/** What one side of a channel says: kept until it was taken, so that it can be said again over another connection. */
export class Sent {
  /** All that was not taken, from `#taken` on, in pieces of one frame each. */
  readonly #kept: Buffer[] = []
  #taken = 0
  #sent = 0
  /** How many pieces of `#kept` were sent. */
  #pieces = 0
  #written = 0

  add(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += MOST_DATA_BYTES) this.#kept.push(chunk.subarray(at, at + MOST_DATA_BYTES))
    this.#written += chunk.length
  }

  /** The next piece to send; undefined: there is none, or as much as may is on its way. */
  next(): Buffer | undefined {
    if (this.#sent - this.#taken >= WINDOW_BYTES) return undefined
    const piece = this.#kept[this.#pieces]
    if (piece === undefined) return undefined
    this.#pieces += 1
    this.#sent += piece.length
    return piece
  }

  /** Everything was sent. */
  get isAllSent(): boolean {
    return this.#sent === this.#written
  }

  /** Everything was taken, and the end after it. @param taken what the other side says */
  isAllTaken(taken: number): boolean {
    return taken > this.#written
  }

  /** The other side has taken so much, the end counted as one more. @returns false: that cannot be */
  took(taken: number): boolean {
    if (taken > this.#sent + 1) return false
    for (let [first] = this.#kept; first !== undefined && this.#taken + first.length <= taken; [first] = this.#kept) {
      if (this.#pieces === 0) return false
      this.#kept.shift()
      this.#pieces -= 1
      this.#taken += first.length
    }
    return true
  }

  /** Goes on from what the other side has received. @returns false: that cannot be */
  rewind(received: number): boolean {
    if (received < this.#taken || received > this.#sent + 1) return false
    this.#sent = this.#taken
    this.#pieces = 0
    for (const piece of this.#kept) {
      if (this.#sent + piece.length > received) break
      this.#sent += piece.length
      this.#pieces += 1
    }
    return this.#sent === Math.min(received, this.#written)
  }
}

/** More cannot wait on the other side: the window, and the piece that goes beyond it. */
export const MOST_UNTAKEN_BYTES = WINDOW_BYTES + MOST_DATA_BYTES

/** Taken bytes are told of when there are so many: often enough for the other side to go on. */
export const TELL_BYTES = WINDOW_BYTES / 4
