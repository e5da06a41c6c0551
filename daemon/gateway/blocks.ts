/** Bytes are kept in blocks of this size, so that what an answer takes in memory does not depend on its chunks. */
export const BLOCK_BYTES = 8 * 2 ** 10

/** Counts what blocks take in memory: more or, below 0, less. */
export type Count = (bytes: number) => void

/** The last bytes of something long, each at the offset that it has in the whole. */
export class Blocks {
  readonly #count: Count
  #blocks: Buffer[] = []
  /** Offset of the first byte that is kept. */
  #from = 0
  /** Offset after the last. */
  #to = 0

  constructor(count: Count) {
    this.#count = count
  }

  from(): number {
    return this.#from
  }

  to(): number {
    return this.#to
  }

  append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const used = (this.#to - this.#from) % BLOCK_BYTES
      let block = this.#blocks.at(-1)
      if (block === undefined || (used === 0 && this.#to - this.#from === this.#blocks.length * BLOCK_BYTES)) {
        this.#count(BLOCK_BYTES)
        block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
        this.#blocks.push(block)
      }
      const copied = bytes.copy(block, used, at)
      this.#to += copied
      at += copied
    }
  }

  /** Bytes from an offset on that is kept, up to the end of its block. */
  at(offset: number): Buffer {
    const index = Math.floor((offset - this.#from) / BLOCK_BYTES)
    const start = this.#from + index * BLOCK_BYTES
    return this.#blocks[index]?.subarray(offset - start, Math.min(BLOCK_BYTES, this.#to - start)) ?? Buffer.alloc(0)
  }

  /** Forgets whole blocks from the first on, none with a byte from `needed` on, until `maxBytes` are left. */
  trim(maxBytes: number, needed: number): void {
    while (this.#to - this.#from > maxBytes && this.#from + BLOCK_BYTES <= needed) this.#drop()
  }

  clear(): void {
    while (this.#blocks.length > 0) this.#drop()
    this.#from = this.#to
  }

  #drop(): void {
    this.#blocks.shift()
    this.#from += BLOCK_BYTES
    this.#count(-BLOCK_BYTES)
  }
}
