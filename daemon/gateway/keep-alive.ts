/** A stream that has not begun after this long is begun all the same, and kept alive with pings. */
const HOLD_MS = 10_000
const PING_MS = 15_000

/** Keeps a stream from staying silent: begun after HOLD_MS at the latest, with a ping every PING_MS. */
export class KeepAlive {
  readonly #begin: () => void
  readonly #ping: () => void
  #timer: NodeJS.Timeout
  #isOver = false
  #writtenAt = Number.NEGATIVE_INFINITY

  /** @param begin begins the stream, unless it has begun @param ping sends a ping, if it may be sent now */
  constructor(begin: () => void, ping: () => void) {
    this.#begin = begin
    this.#ping = ping
    this.#timer = setTimeout(() => this.#look(), HOLD_MS)
  }

  noteWrite(): void {
    this.#writtenAt = performance.now()
  }

  stop(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  #look(): void {
    this.#begin()
    const silentMs = performance.now() - this.#writtenAt
    if (silentMs >= PING_MS) this.#ping()
    if (this.#isOver) return // what was written ended the answer
    const nextMs = silentMs >= PING_MS ? PING_MS : PING_MS - silentMs
    this.#timer = setTimeout(() => this.#look(), nextMs)
  }
}
