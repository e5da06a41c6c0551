import { constants, type Http2Stream } from 'node:http2'
import { Duplex } from 'node:stream'
import { resetStream } from '../reset-stream.ts'

const { NGHTTP2_NO_ERROR } = constants

/** How long a visitor that was told the end may take to end its own side. */
const LINGER_MS = 30_000

/**
 * A visitor's connection, as the listener knows connections: what goes through one stream of a tunnel. Its half-close is
 * the stream's, and a visitor that resets it is one that resets a connection. It is no net.Socket, as TLS would wait for
 * such a one to be connected.
 */
export class VisitorSocket extends Duplex {
  /** Bytes that have come from the visitor. */
  bytesRead = 0
  readonly #stream: Http2Stream

  constructor(stream: Http2Stream) {
    super({ allowHalfOpen: true, readableHighWaterMark: 0 }) // what waits is in the stream, and counted there
    this.#stream = stream
    stream.on('error', () => {}) // its close says the same
    this.on('error', () => {}) // who has taken it may not listen yet, or not any more
    stream.on('data', this.#take)
    stream.once('end', () => this.#wasReset() || this.push(null))
    stream.once('close', () => setImmediate(() => this.#conclude()))
  }

  readonly #take = (chunk: Buffer): void => {
    this.bytesRead += chunk.length
    if (!this.push(chunk)) this.#stream.pause()
  }

  #wasReset(): boolean {
    return this.#stream.aborted || this.#stream.rstCode !== NGHTTP2_NO_ERROR
  }

  /** Both sides are over; what has come is still read. */
  #conclude(): void {
    if (this.#wasReset()) this.destroy(reset())
    else if (this.readableLength === 0) this.destroy()
    else setTimeout(() => this.destroy(), LINGER_MS).unref()
  }

  override _read(): void {
    this.#stream.resume()
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.write(chunk, encoding, done)
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer | string; readonly encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#stream.cork()
    for (const [at, { chunk, encoding }] of chunks.entries())
      this.#stream.write(chunk, encoding, at === chunks.length - 1 ? done : undefined)
    this.#stream.uncork()
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) done()
    else this.#stream.end(() => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.writableFinished) linger(this.#stream.off('data', this.#take))
    else resetStream(this.#stream)
    done(error)
  }
}

/**
 * Waits for the visitor's end, and drops what it still says: a reset now would reach it as one, and could take away what
 * it has not read yet of what we said last.
 */
function linger(stream: Http2Stream): void {
  if (stream.closed || stream.destroyed) return
  const timer = setTimeout(() => stream.close(NGHTTP2_NO_ERROR), LINGER_MS).unref()
  stream.once('close', () => clearTimeout(timer))
  stream.resume()
}

function reset(): Error {
  return Object.assign(new Error('the visitor or its relay has gone'), { code: 'ECONNRESET' })
}
