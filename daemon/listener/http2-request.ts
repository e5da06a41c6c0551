import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { isTimingItself } from './broken-request.ts'
import type { ClientRequest } from './client-request.ts'

/** What may come of a body after the answer was said, while its client does not take the answer. */
const MOST_DISCARDED_BYTES = 2 ** 20

/** A request of HTTP/2, in the form that one of HTTP/1.1 has: the pseudo-headers are its method, target and Host. */
export class Http2Request extends Readable implements ClientRequest {
  readonly httpVersion = '2.0'
  readonly httpVersionMinor = 0
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: string[]
  readonly method: string
  readonly url: string
  readonly socket: Socket
  /** The body has come whole; a stream that was reset ends without. */
  complete = false
  readonly #stream: ServerHttp2Stream
  readonly #wanted: () => void
  #isRead = false
  #isDiscarded = false

  /**
   * @param rawHeaders names and values in turn, as they came
   * @param wanted called when its body is read
   */
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: string[],
    socket: Socket,
    wanted: () => void,
  ) {
    super()
    const { ':method': method = '', ':path': path = '', ':authority': authority, ':scheme': _, ...others } = headers
    this.headers = authority === undefined ? others : { ...others, host: authority }
    this.rawHeaders = rawHeaders
    this.method = method
    this.url = path
    this.socket = socket
    this.#stream = stream
    this.#wanted = wanted
    this.complete = stream.endAfterHeaders
    this.on('error', () => {}) // whoever reads the body looks at `errored` when it is closed
    stream.once('close', () => this.destroy())
  }

  override _read(): void {
    if (this.#isRead) {
      this.#stream.resume()
      return
    }
    this.#isRead = true
    this.#wanted()
    this.#stream.on('data', (chunk: Buffer) => {
      if (!this.#isDiscarded && !this.push(chunk)) this.#stream.pause()
    })
    this.#stream.once('end', () => {
      if (this.#stream.aborted || this.#isDiscarded) return // reset in the middle: what came is not the body
      this.complete = true
      this.push(null)
    })
  }

  /** Nobody reads what has come of the body and what still comes: its answer is said. */
  discard(): void {
    if (this.complete || this.#isDiscarded) return
    this.#isDiscarded = true
    let bytes = 0
    this.#stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MOST_DISCARDED_BYTES) this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    })
    this.#stream.resume()
    this.destroy()
  }

  /**
   * Breaks the body off when it is not whole by then, unless its reader has said that it looks after that itself.
   * @param error why; the reader of the body gets it
   */
  limit(timeoutMs: number, error: () => Error): void {
    if (this.complete) return
    const timer = setTimeout(() => {
      if (!this.complete && !isTimingItself(this)) this.destroy(error())
    }, timeoutMs).unref()
    this.once('close', () => clearTimeout(timer))
  }
}
