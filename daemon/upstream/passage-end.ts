import { type ErrorCode, GateError } from '../../schemas/words/errors.ts'
import { CLOSING_BRACE, OPENING_BRACE } from '../../syntax/json/brackets.ts'
import { isOutOfDescriptors, noConnection } from './connector.ts'
import type { ForwardEnd, ResponseHeaders } from './forward-end.ts'
import { isOfType } from './media-type.ts'

const SPACE = 0x20
/** Nothing was dialled, as the configuration says nowhere to; the message holds no addresses. */
const NO_WAY = 'ERR_NO_WAY'

/** How far an answer had come. `isPassing`: its client was given a part. */
export type Progress = { readonly status: number; readonly ttftMs: number | null; readonly isPassing: boolean }

/**
 * What a failure of the connection means, of an answer that is not complete.
 * @param wasKept the connection had served requests before, and nothing came over it for this one
 */
export function connectionEnd(progress: Progress, error: Error, wasKept: boolean): ForwardEnd {
  const { status } = progress
  const code = 'code' in error ? String(error.code) : error.name
  if (error instanceof GateError && status === 0) return { kind: 'unsent', status, error, ttftMs: null }
  if (isOutOfDescriptors(error)) return overloadedEnd(progress, noConnection(error))
  if (/TIMEOUT/i.test(code))
    return brokenEnd(progress, 'UPSTREAM_TIMEOUT', 'the upstream did not answer in time', error)
  if (status === 0) {
    const unreached = new GateError('UPSTREAM_FAILED', unreachedSaid(code, error), { cause: error })
    return { kind: 'unreached', status, error: unreached, ttftMs: null, wasKept }
  }
  const message = 'the connection to the upstream broke before its answer was complete'
  return brokenEnd(progress, 'UPSTREAM_TRUNCATED', message, error)
}

/** What is known of an upstream that has answered nothing which can be read. */
function unreachedSaid(code: string, { name, message }: Error): string {
  if (name === 'HTTPParserError' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH')
    return 'the upstream answered with what is not valid HTTP'
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'the upstream answered with headers that are too long'
  return `the upstream could not be reached${code === NO_WAY ? `: ${message}` : ''}`
}

export function overloadedEnd({ status, ttftMs, isPassing }: Progress, error: GateError): ForwardEnd {
  if (!isPassing) return { kind: 'overloaded', status: 0, error, ttftMs: null }
  return { kind: 'overloaded-within', status, error, ttftMs }
}

export function brokenEnd(
  { status, ttftMs, isPassing }: Progress,
  code: ErrorCode,
  message: string,
  cause?: Error,
): ForwardEnd {
  const error = new GateError(code, message, { cause })
  return { kind: isPassing ? 'broken-within' : 'broken-before', status, error, ttftMs }
}

/** An error inside a success. @param logged what the log may hold of it */
export function reportedEnd(
  { status, ttftMs, isPassing }: Progress,
  failure: string,
  logged: string = failure,
): ForwardEnd {
  if (!isPassing)
    return { kind: 'reported', status, error: new GateError('UPSTREAM_FAILED', failure, { logged }), ttftMs }
  // the upstream's own words went to the client as they are; the attempt is a failure all the same
  const error = new GateError('UPSTREAM_FAILED', 'the upstream reported an error inside the stream')
  return { kind: 'reported-within', status, error, ttftMs }
}

/**
 * Why a whole answer is not one; null: it is. It is not parsed where bytes pass: not all that clients can read is JSON,
 * such as Python's NaN.
 */
export function missingIn(headers: ResponseHeaders, answer: Buffer): string | null {
  if (answer[0] !== OPENING_BRACE) return null
  // sound may begin with any byte, and is complete where its length was said
  if (headers['content-length'] !== undefined && !isOfType(headers['content-type'], 'application/json')) return null
  const last = answer.findLast((byte) => byte > SPACE)
  return last === CLOSING_BRACE ? null : 'the upstream sent a part of an answer'
}
