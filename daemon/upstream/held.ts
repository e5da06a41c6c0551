const NOTHING = Buffer.alloc(0)
/** What a chunk takes besides its bytes; an answer may come in millions of them. */
const CHUNK_BYTES = 160

/** Chunks that are kept until more of an answer is known; joined only when there is more than one. */
export class Held {
  /** What is kept so far takes in memory. */
  bytes = 0
  #first: Buffer = NOTHING
  #chunks: Buffer[] | null = null

  add(chunk: Buffer): void {
    if (chunk.length === 0) return
    if (this.bytes === 0) this.#first = chunk
    else if (this.#chunks === null) this.#chunks = [this.#first, chunk]
    else this.#chunks.push(chunk)
    this.bytes += chunk.length + CHUNK_BYTES
  }

  /** Hands over everything that is kept. */
  take(): Buffer {
    const all = this.#chunks === null ? this.#first : Buffer.concat(this.#chunks)
    this.#first = NOTHING
    this.#chunks = null
    this.bytes = 0
    return all
  }
}
