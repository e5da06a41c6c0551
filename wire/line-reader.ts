import type { Socket } from 'node:net'

/** Lines that wait to be taken; a peer that sends more is not read from until some are. */
const MOST_WAITING_LINES = 64

/** A peer sent a line longer than agreed. */
export class LineTooLongError extends Error {
  constructor(limitBytes: number) {
    super(`a line is longer than ${limitBytes} bytes`)
    this.name = 'LineTooLongError'
  }
}

type Waiter = { readonly resolve: (line: string | undefined) => void; readonly reject: (error: Error) => void }

/**
 * Lines of a connection, taken one by one. It keeps reading while no line is taken, within a bound, so that the end of
 * the connection is noticed while an answer is still being made.
 */
export class LineReader {
  /** Aborts when the peer has ended its side or the connection is gone. */
  readonly ended: AbortSignal
  readonly #ending = new AbortController()
  readonly #socket: Socket
  readonly #limitBytes: number
  readonly #lines: string[] = []
  #partial: Buffer[] = []
  #partialBytes = 0
  #failure: Error | undefined
  #waiter: Waiter | undefined

  constructor(socket: Socket, limitBytes: number) {
    this.#socket = socket
    this.#limitBytes = limitBytes
    this.ended = this.#ending.signal
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.once('end', () => this.#end())
    socket.once('close', () => this.#end())
    socket.on('error', () => this.#end()) // 'close' follows
  }

  /**
   * @param signal gives up waiting
   * @returns the next line without its line break; undefined at the end of the connection, or when given up
   * @throws LineTooLongError
   */
  next(signal: AbortSignal): Promise<string | undefined> {
    const line = this.#lines.shift()
    if (line !== undefined) {
      if (this.#lines.length < MOST_WAITING_LINES) this.#socket.resume()
      return Promise.resolve(line)
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.ended.aborted || signal.aborted) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      const giveUp = () => this.#wake((waiter) => waiter.resolve(undefined))
      signal.addEventListener('abort', giveUp, { once: true })
      const settle = () => signal.removeEventListener('abort', giveUp)
      this.#waiter = {
        resolve: (taken) => {
          settle()
          resolve(taken)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
    })
  }

  #take(chunk: Buffer): void {
    if (this.#failure !== undefined) return
    let rest = chunk
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      this.#keep(rest.subarray(0, end))
      if (this.#failure !== undefined) return
      this.#finishLine()
      rest = rest.subarray(end + 1)
    }
    this.#keep(rest)
    if (this.#lines.length >= MOST_WAITING_LINES) this.#socket.pause()
  }

  #keep(part: Buffer): void {
    this.#partialBytes += part.length
    if (this.#partialBytes <= this.#limitBytes) {
      if (part.length > 0) this.#partial.push(part)
      return
    }
    const failure = new LineTooLongError(this.#limitBytes)
    this.#failure = failure
    this.#partial = []
    this.#wake((waiter) => waiter.reject(failure))
  }

  #finishLine(): void {
    const line = Buffer.concat(this.#partial).toString('utf8')
    this.#partial = []
    this.#partialBytes = 0
    if (!this.#wake((waiter) => waiter.resolve(line))) this.#lines.push(line)
  }

  #end(): void {
    this.#ending.abort()
    this.#wake((waiter) => waiter.resolve(undefined))
  }

  #wake(settle: (waiter: Waiter) => void): boolean {
    const waiter = this.#waiter
    if (waiter === undefined) return false
    this.#waiter = undefined
    settle(waiter)
    return true
  }
}
