import assert from 'node:assert/strict'
import type { GateError } from '../../schemas/words/errors.ts'
import { PROBE, type Probed } from '../listener/half-close.ts'
import type { Served } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'
import type { AnswerTap } from '../translate/kept-form.ts'
import type { StreamWatch } from '../translate/stream-watch.ts'
import type { ResponseHeaders } from '../upstream/forward-end.ts'
import { isOfType } from '../upstream/media-type.ts'
import { answerHeaders } from './answer-headers.ts'
import { KeepAlive } from './keep-alive.ts'
import type { Outlet } from './outlet.ts'
import { expectClose, whenDrained } from './patience.ts'
import { newProgress } from './request-progress.ts'

const NOTHING = Buffer.alloc(0)
/**
 * Up to here the end of an answer is written as latin1 text, byte for byte the same: Node sends a head and a text as
 * one string, but a head and a buffer as a list of pieces.
 */
const MAX_TEXT_BYTES = 16 * 2 ** 10

/** What an answer has to know of how its client is spoken to. */
export type Manner = Pick<
  Dialect,
  'streamType' | 'errorBody' | 'errorFrame' | 'ping' | 'hiddenHeaders' | 'requestIdIn'
> & {
  /** The media type of an error. Absent: JSON. */
  readonly errorType?: string
}

/**
 * The answer to one client. Nothing is sent before there is something to say, so that an early failure still becomes
 * a real status. A client that does not read for `stallTimeoutMs` is cut off.
 */
export class Answer {
  readonly requestId: string
  /** What is known of its request. */
  readonly progress = newProgress()
  /** Usually the dialect of the answer. */
  dialect: Manner
  /** What reads the stream that is passed on; null while none is. */
  watch: StreamWatch | null = null
  /** Is given the bytes of an answer before the client is; null: nothing is. */
  tap: AnswerTap | null = null
  /** CORS headers for a browser, names and values in turn. */
  cors: readonly string[] = []
  /** Headers of Gate's own, such as cookies, names and values in turn. */
  own: readonly string[] = []
  #response: Outlet
  /** The client's own; null once the answer goes elsewhere. */
  #connection: Probed | null
  readonly #stallTimeoutMs: number
  #onGone: (() => void) | null = null
  #lastOfConnection = false
  #isBodyWithheld = false
  #gone = false
  /** Its last bytes were sent. */
  #hasEnded = false
  #isStream = false
  /** Nothing of the answer itself was sent. */
  #isEmpty = true
  #status = 0
  #keepAlive: KeepAlive | null = null

  constructor(response: Probed, requestId: string, dialect: Manner, stallTimeoutMs: number) {
    this.requestId = requestId
    this.dialect = dialect
    this.#response = response
    this.#connection = response
    this.#stallTimeoutMs = stallTimeoutMs
    response[PROBE] = this
    this.#leaveWith(response)
  }

  #leaveWith(outlet: Outlet): void {
    outlet.once('close', () => {
      if (this.#response === outlet && !outlet.writableFinished) this.#leave()
    })
  }

  /**
   * Sends what comes to another place, so that it does not end with the connection; only before anything was sent.
   * @returns what the client itself is told from now on
   */
  detach(outlet: Outlet): Answer {
    const connection = this.#connection
    assert(connection !== null && !this.started(), 'an answer is detached once, before it begins')
    this.#connection = null
    this.#response = outlet
    this.#leaveWith(outlet)
    const client = new Answer(connection, this.requestId, this.dialect, this.#stallTimeoutMs)
    client.cors = this.cors
    return client
  }

  started(): boolean {
    return this.#status !== 0
  }

  /** What has made the answer, as far as that is known. */
  servedBy(): Served | null {
    const { row } = this.progress
    return row === null ? null : { upstream: row.upstream, model: row.targetModel }
  }

  /** The status that was sent; 0 while none was. */
  status(): number {
    return this.#status
  }

  isGone(): boolean {
    return this.#gone
  }

  onGone(cancel: () => void): void {
    if (this.#gone) cancel()
    else this.#onGone = cancel
  }

  onDrain(resume: () => void): void {
    // each client of a recording is cut off by its own answer, and alone
    whenDrained(this.#response, this.#connection === null ? null : this.#stallTimeoutMs, resume)
  }

  /** Resolves once the client has taken what was written, or is gone. */
  drained(): Promise<void> {
    if (this.#gone) return Promise.resolve()
    return new Promise((resolve) => {
      this.#response.once('close', resolve)
      this.onDrain(() => {
        this.#response.off('close', resolve)
        resolve()
      })
    })
  }

  /** The client sends no body before it is asked to. If it is not asked, what follows on the connection is unknown. */
  noteBodyWithheld(): void {
    this.#isBodyWithheld = true
  }

  askForBody(): void {
    if (this.#isBodyWithheld) this.#connection?.writeContinue()
    this.#isBodyWithheld = false
  }

  /**
   * Sends something harmless that fails when the client is gone. HTTP/1.0 has no such message, so there the client
   * counts as gone.
   */
  probe(): void {
    const connection = this.#connection
    if (this.started()) this.#ping()
    else if (connection?.req.httpVersionMinor === 1) connection.writeProcessing()
    else connection?.destroy()
  }

  /** No further request may come over this connection. */
  closeConnection(): void {
    this.#lastOfConnection = true
  }

  /** Begins the answer. @param headers the upstream's; those that are not the client's business are dropped */
  start(status: number, headers: ResponseHeaders): void {
    this.#head(status, headers)
    this.#response.flushHeaders()
  }

  write(chunk: Buffer): boolean {
    if (this.#gone) return true
    this.#keepAlive?.noteWrite()
    this.#isEmpty = false
    this.tap?.feed(chunk)
    return this.#response.write(chunk)
  }

  /** Ends the answer with its last (or only) bytes; begins it too when nothing was sent. */
  end(status: number, headers: ResponseHeaders, rest: Buffer): void {
    this.#stopKeepAlive()
    if (this.#gone) return
    if (!this.started()) this.#head(status, headers, this.watch === null ? rest.length : null)
    this.#finish(rest)
  }

  /** Says what went wrong, in the client's dialect: as a status, as a frame of a stream that has begun, or by a cut. */
  fail(error: GateError): void {
    this.#stopKeepAlive()
    if (this.#gone || this.#hasEnded) return
    if (!this.started()) {
      const body = Buffer.from(JSON.stringify(this.dialect.errorBody(error, this.requestId)))
      const retry = error.retryAfterS === null ? {} : { 'retry-after': String(error.retryAfterS) }
      const type = this.dialect.errorType ?? 'application/json'
      this.#head(error.status, { 'content-type': type, ...retry, ...error.headers }, body.length)
      this.#finish(body)
    } else if (this.#isStream && this.#isAtBoundary()) this.#finish(Buffer.from(this.#errorFrame(error)))
    else this.#response.destroy()
  }

  /** Ends a stream that has already reported its failure to the client. */
  finish(): void {
    this.#stopKeepAlive()
    if (!this.#gone) this.#finish(NOTHING)
  }

  /** Breaks off an answer of which no more will come, and nothing can be said. */
  abandon(): void {
    this.#stopKeepAlive()
    this.#response.destroy()
  }

  /** Ends the answer here, with an error as far as it can still be said, and lets the upstream go. */
  cutOff(error: GateError): void {
    this.fail(error)
    this.#leave()
  }

  /** From now on this answer must not stay silent. */
  keepAlive(): void {
    if (this.#gone) return
    this.#keepAlive ??= new KeepAlive(
      () => this.#begin(),
      () => this.#ping(),
    )
  }

  #begin(): void {
    if (this.started()) return
    this.start(200, { 'content-type': `${this.dialect.streamType}; charset=utf-8`, 'cache-control': 'no-cache' })
  }

  #ping(): void {
    const { ping } = this.dialect
    const mayPing = this.#isStream && ping !== null && this.#isAtBoundary() && !this.#response.writableNeedDrain
    if (!mayPing) return
    this.#keepAlive?.noteWrite()
    this.#response.write(ping)
  }

  #errorFrame(error: GateError): string {
    return this.watch?.errorFrame?.(error) ?? this.dialect.errorFrame(error, this.#isEmpty, this.requestId)
  }

  /** Whether something may be put in now without splitting a frame. */
  #isAtBoundary(): boolean {
    return this.watch === null || this.watch.atBoundary()
  }

  #head(status: number, headers: ResponseHeaders, contentLength: number | null = null): void {
    const out = answerHeaders(this, headers)
    if (contentLength !== null && status !== 204) out.push('content-length', String(contentLength))
    if (this.#lastOfConnection || this.#isBodyWithheld) out.push('connection', 'close')
    this.#isStream = isOfType(headers['content-type'], this.dialect.streamType)
    this.#status = status
    this.#response.writeHead(status, out)
  }

  /** The last bytes. A client that does not take them in time is cut off, too. */
  #finish(rest: Buffer): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const response = this.#response
    if (this.#status < 300) {
      this.tap?.feed(rest)
      this.tap?.end()
    }
    if (rest.length === 0) response.end()
    else if (rest.length <= MAX_TEXT_BYTES) response.end(rest.toString('latin1'), 'latin1')
    else response.end(rest)
    expectClose(response, this.#stallTimeoutMs)
  }

  #stopKeepAlive(): void {
    this.#keepAlive?.stop()
    this.#keepAlive = null
  }

  #leave(): void {
    this.#stopKeepAlive()
    this.#gone = true
    this.#onGone?.()
    this.#onGone = null
  }
}
