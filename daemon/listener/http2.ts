import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { ERRORS, GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import { inBackground } from '../../system/background.ts'
import { type Answering, type HttpLimits, REQUEST_LOST } from './http.ts'
import { Http2Answer } from './http2-answer.ts'
import { type Kept, keepWhileUsed } from './http2-idle.ts'
import { Http2Request } from './http2-request.ts'
import { createPatience } from './patience.ts'
import type { Via } from './via.ts'

const { NGHTTP2_NO_ERROR, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_REFUSED_STREAM } = constants

const OPTIONS = {
  settings: {
    maxConcurrentStreams: 100,
    maxHeaderListSize: 64 * 2 ** 10, // longer ones Node resets, and no client knows why
    initialWindowSize: 64 * 2 ** 10,
    enableConnectProtocol: false,
  },
  maxSettings: 32,
  maxHeaderListPairs: 128,
  maxSessionMemory: 10, // megabytes, of one connection
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  streamResetBurst: 100,
  streamResetRate: 33, // a second
}
/** As over HTTP/1.1: what is longer has an answer that says so. */
const MAX_HEADER_BYTES = 16 * 2 ** 10
/** RFC 9113 section 6.5.2: of each field beside its name and value. */
const FIELD_BYTES = 32
/** What may be under way on all streams together; Node gives it back as it comes, so that only streams bound what is kept. */
const CONNECTION_WINDOW_BYTES = 2 ** 20
/** What each stream may send before it is read, once a body was wanted: whoever sends it was let in. */
const WANTED_WINDOW_BYTES = 256 * 2 ** 10
/** Streams that end badly, by whoever's fault: CVE-2023-44487 and CVE-2025-8671. */
const RESETS = { burst: 100, perSecond: 33 }
/** Frames that have to be answered: pings and settings. */
const PINGS = { burst: 200, perSecond: 20 }

export type Http2 = ReturnType<typeof createHttp2>

/**
 * HTTP/2 on connections whose clients have chosen it, with the limits that HTTP/1.1 has.
 * @param headersFor for every answer to a request for a host, names and values in turn
 * @param now monotonic milliseconds
 */
export function createHttp2(
  { handle, errorBody }: Answering,
  limits: Pick<HttpLimits, 'headersTimeoutMs' | 'bodyTimeoutMs'>,
  headersFor: (host: string | undefined, via: Via) => readonly string[],
  now: () => number,
  log: Log,
) {
  const sessions = new Map<ServerHttp2Session, Kept>()
  let draining = false

  /** Serves a connection until it ends. */
  function take(socket: TLSSocket, via: Via): void {
    const session = performServerHandshake(socket, OPTIONS)
    const kept = keepWhileUsed(session, socket, limits.headersTimeoutMs)
    sessions.set(session, kept)
    socket.once('close', () => sessions.delete(session))
    session.on('error', () => {}) // its streams have ended by it, each with what it makes of that
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    calm(session, kept)
    let isWide = false
    const widen = () => {
      if (isWide || session.destroyed) return
      isWide = true
      session.settings({ initialWindowSize: WANTED_WINDOW_BYTES })
    }
    session.on('stream', (stream, headers, _, rawHeaders) => {
      stream.on('error', () => {}) // the answer looks at how its stream is closed
      const begin = () => {
        if (stream.closed || stream.destroyed) return // reset in the same breath
        if (kept.isServed(stream)) serve(stream, new Http2Request(stream, headers, rawHeaders, socket, widen), via)
        else stream.close(NGHTTP2_REFUSED_STREAM)
      }
      if (kept.isLeaving())
        setImmediate(begin) // its client hears first that it is the last
      else begin()
    })
    // who hears it before anything was asked would connect again at once, to hear it again
    if (draining || via.leaving?.aborted === true) kept.leave()
    via.leaving?.addEventListener('abort', kept.leave)
    socket.once('close', () => via.leaving?.removeEventListener('abort', kept.leave))
  }

  /** Ends a session that overdoes what costs its client nothing. */
  function calm(session: ServerHttp2Session, { cut }: Kept): void {
    const resets = createPatience(RESETS, now)
    const pings = createPatience(PINGS, now)
    const note = (patience: typeof resets) => {
      if (!patience.isLeft()) cut(NGHTTP2_ENHANCE_YOUR_CALM)
    }
    session.on('ping', () => note(pings))
    session.on('remoteSettings', () => note(pings))
    session.on('stream', (stream) => {
      stream.once('close', () => {
        if (stream.rstCode !== NGHTTP2_NO_ERROR) note(resets)
      })
    })
  }

  function serve(stream: ServerHttp2Stream, request: Http2Request, via: Via): void {
    const response = new Http2Answer(stream, request, headersFor(request.headers.host, via))
    if (request.method === 'CONNECT') {
      // without a body, which would wait for a client that takes none
      response.writeHead(ERRORS.METHOD_NOT_ALLOWED.status, ['allow', 'GET, HEAD, POST, OPTIONS'])
      response.end()
      return
    }
    if (headerBytes(request.rawHeaders) > MAX_HEADER_BYTES) {
      const error = new GateError('HEADERS_TOO_LARGE', 'the headers are larger than 16 KiB')
      response.writeHead(ERRORS[error.code].status, ['content-type', 'application/json'])
      response.end(errorBody(error))
      return
    }
    request.limit(limits.bodyTimeoutMs, () => new GateError('REQUEST_TIMEOUT', 'the request took too long to arrive'))
    inBackground(log, REQUEST_LOST, () => handle(request, response, via))
  }

  return {
    take,
    /** Clients are told to ask over another connection, each when it asks over this one or waits for an answer. */
    drain(): void {
      draining = true
      for (const kept of sessions.values()) kept.leave()
    },
    /** Each connection ends with the last of its streams. */
    close(): void {
      for (const kept of sessions.values()) kept.end()
    },
    cut(): void {
      for (const { cut } of sessions.values()) cut()
    },
  }
}

function headerBytes(rawHeaders: readonly string[]): number {
  let bytes = (rawHeaders.length / 2) * FIELD_BYTES
  for (const text of rawHeaders) bytes += text.length
  return bytes
}
