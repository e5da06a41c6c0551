import { type ServerResponse, STATUS_CODES } from 'node:http'
import { ERRORS, GateError } from '../../schemas/words/errors.ts'
import type { Connection } from './connection.ts'

const LATEST = Symbol('the latest answer on this connection')
const BEFORE = Symbol('the one before it, while it is not sent')
const TIMES_ITSELF = Symbol('its reader says how long its body may take')
const IS_REFUSED = Symbol('what came last over this connection was no request')

/** What Node says of a request that did not come within `server.requestTimeout`; it says so once. */
const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT'

/** A connection and what was asked over it. Answers go out in the order of their requests. */
export type Asked = Connection & {
  [LATEST]?: ServerResponse
  [BEFORE]?: ServerResponse | undefined
  [IS_REFUSED]?: true
}

/** Notes that a request has come. */
export function noteRequest(socket: Asked, response: ServerResponse): void {
  const latest = socket[LATEST]
  socket[BEFORE] = latest?.writableFinished === false ? latest : undefined
  socket[LATEST] = response
}

/** From now on the reader of this request says how long its body may take, in place of the listener. */
export function timesItself(request: object & { [TIMES_ITSELF]?: true }): void {
  request[TIMES_ITSELF] = true
}

export const isTimingItself = (request: object): boolean => TIMES_ITSELF in request

/** The answer that is next to be sent; undefined when all are. */
export function nextAnswer(socket: Asked): ServerResponse | undefined {
  return [socket[BEFORE], socket[LATEST]].find((response) => response?.writableFinished === false)
}

/**
 * Answers what is not HTTP, or came too slowly, before any request exists. Requests that came before it over the same
 * connection have their answers first; one that is being sent is cut.
 */
export function refuseBroken(error: NodeJS.ErrnoException, socket: Asked, body: (error: GateError) => string): void {
  if (!socket.writable || error.code === 'ECONNRESET' || error.code === 'EPIPE') {
    socket.destroy()
    return
  }
  const asked = socket[LATEST]?.req
  if (error.code === TOO_SLOW && asked?.complete === false && isTimingItself(asked)) return
  if (socket[IS_REFUSED]) return // nothing that follows is looked at
  socket[IS_REFUSED] = true
  if (nextAnswer(socket)?.headersSent === true) {
    socket.destroy() // a second head in the middle of an answer would be read as part of it
    return
  }
  const latest = socket[LATEST]
  const broken = latest?.req.complete === false ? latest : undefined
  const before = broken === undefined ? latest : socket[BEFORE]
  const refuse = () => {
    if (broken?.headersSent === true || !socket.writable) socket.destroy()
    else sayOn(socket, clientError(error.code), body)
  }
  if (before === undefined || before.writableFinished || before.destroyed) refuse()
  else before.once('close', refuse)
}

/** Refuses what Node makes no request of, and ends the connection. */
export function sayOn(socket: Connection, error: GateError, body: (error: GateError) => string): void {
  const { status } = ERRORS[error.code]
  const text = body(error)
  const more = Object.entries(error.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `${more.join('')}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  )
}

function clientError(code: string | undefined): GateError {
  switch (code) {
    case TOO_SLOW:
      return new GateError('REQUEST_TIMEOUT', 'the request took too long to arrive')
    case 'HPE_HEADER_OVERFLOW':
      return new GateError('HEADERS_TOO_LARGE', 'the headers are larger than 16 KiB')
    default:
      return new GateError('BAD_REQUEST', 'the request is not valid HTTP')
  }
}
