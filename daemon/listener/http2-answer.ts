import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { ClientResponse } from './client-request.ts'
import { PROBE, type Probed } from './half-close.ts'
import type { Http2Request } from './http2-request.ts'

const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR } = constants
/** Of one connection of HTTP/1.1; RFC 9113 section 8.2.2 forbids them. */
const OF_CONNECTION = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** The answer on one stream of HTTP/2, with what the gateway uses of a ServerResponse. */
export class Http2Answer implements ClientResponse {
  readonly req: Http2Request;
  [PROBE]?: NonNullable<Probed[typeof PROBE]>
  readonly #stream: ServerHttp2Stream
  readonly #ownHeaders: readonly string[]
  #head: OutgoingHttpHeaders | null = null
  #hasEnded = false

  /** @param ownHeaders for every answer, names and values in turn */
  constructor(stream: ServerHttp2Stream, request: Http2Request, ownHeaders: readonly string[]) {
    this.#stream = stream
    this.req = request
    this.#ownHeaders = ownHeaders
    stream.once('finish', () => {
      // RFC 9113 section 8.1: what is left of the request is not needed any more
      if (this.#hasEnded && !request.complete) setImmediate(() => stream.close(NGHTTP2_NO_ERROR))
    })
  }

  /** All of it was sent; Node also ends a stream that its client has reset. */
  get writableFinished(): boolean {
    return this.#hasEnded && this.#stream.writableFinished && !this.#stream.aborted
  }

  get writableNeedDrain(): boolean {
    return this.#stream.writableNeedDrain
  }

  get writableLength(): number {
    return this.#stream.writableLength
  }

  /** @param list names and values in turn */
  writeHead(status: number, list: readonly string[]): void {
    const head: Record<string, string | number> = { ':status': status }
    const all = [...this.#ownHeaders, ...list]
    for (let at = 0; at + 1 < all.length; at += 2) {
      const name = (all[at] ?? '').toLowerCase()
      const value = all[at + 1] ?? ''
      if (OF_CONNECTION.has(name)) continue
      const known = head[name]
      // RFC 9110 section 5.3; Node throws at two of what should be one, and an upstream may send them
      head[name] = known === undefined ? value : `${known}, ${value}`
    }
    this.#head = head
  }

  flushHeaders(): void {
    this.#respond(false)
  }

  write(chunk: Buffer | string): boolean {
    this.#respond(false)
    return !this.#canWrite() || this.#stream.write(chunk)
  }

  end(rest?: Buffer | string, encoding?: 'latin1'): void {
    this.#hasEnded = true
    const isEmpty = rest === undefined || rest.length === 0
    this.#respond(isEmpty)
    if (this.#canWrite()) {
      if (isEmpty) this.#stream.end()
      else this.#stream.end(rest, encoding ?? 'utf8')
    }
    this.req.discard() // its client may take no answer, and would have it kept until then
  }

  /** Breaks it off, so that what was sent is not taken for the whole. */
  destroy(): void {
    if (this.#stream.destroyed) return
    this.#stream.close(NGHTTP2_INTERNAL_ERROR)
    this.#stream.destroy()
  }

  writeContinue(): void {
    this.#inform(100)
  }

  writeProcessing(): void {
    this.#inform(102)
  }

  once(event: 'drain' | 'close', listener: () => void): void {
    this.#stream.once(event, listener)
  }

  off(event: 'drain' | 'close', listener: () => void): void {
    this.#stream.off(event, listener)
  }

  #respond(isWhole: boolean): void {
    const head = this.#head
    this.#head = null
    if (head === null || this.#isGone()) return
    try {
      this.#stream.respond(head, { endStream: isWhole })
    } catch {
      this.destroy() // headers that cannot be said over HTTP/2
    }
  }

  #inform(status: 100 | 102): void {
    if (!this.#isGone() && !this.#stream.headersSent) this.#stream.additionalHeaders({ ':status': status })
  }

  #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }

  /** An answer to HEAD, and one without a body, has ended with its headers. */
  #canWrite(): boolean {
    return !this.#isGone() && !this.#stream.writableEnded
  }
}
