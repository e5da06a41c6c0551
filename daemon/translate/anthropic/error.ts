import type { GateError } from '../../../schemas/words/errors.ts'
import { isRecord, type JsonRecord, parsedRecord, textIn } from '../json-value.ts'

/** The `type` that Anthropic's SDKs know, by status; any other 4xx is an `invalid_request_error`, 5xx an `api_error`. */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

/** The same by what is wrong, where the status does not say it. */
const OWN_TYPES: Readonly<Record<string, string>> = { BUDGET_EXHAUSTED: 'billing_error' }

/** The error body that Anthropic's SDKs understand. */
export function errorBody({ code, status, message }: GateError, requestId: string | null): object {
  const type = OWN_TYPES[code] ?? TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  return { type: 'error', error: { type, message }, request_id: requestId }
}

/** The same as a frame of a stream. */
export function errorFrame(error: GateError, _isFirst: boolean, requestId: string): string {
  return `event: error\ndata: ${JSON.stringify(errorBody(error, requestId))}\n\n`
}

/** An error of an upstream with the id of its request; engines that speak this dialect leave it out. */
function withRequestId(body: Buffer, requestId: string): Buffer {
  const value = parsedRecord(body.toString('utf8'))
  if (value === null || value['type'] !== 'error' || textIn(value['request_id']) !== null) return body
  return Buffer.from(JSON.stringify({ ...value, request_id: requestId }))
}

export const requestIdIn = { header: 'request-id', error: withRequestId }

const UNTOLD = 'the upstream reported an error'
const NO_MESSAGE = 'the upstream answered with something other than a message'
const MESSAGE = Buffer.from('"type":"message"')

/** The message of the error in a whole answer whose status says success; null: it holds none. */
export function failureOf(answer: Buffer): string | null {
  if (answer.includes(MESSAGE) && !answer.includes('"error"')) return null // quotes inside of content are escaped
  const value = parsedRecord(answer.toString('utf8'))
  if (value === null) return NO_MESSAGE
  const isAnswer = Array.isArray(value['content']) || 'input_tokens' in value // a message, or a count
  return failureIn(value) ?? (isAnswer ? null : NO_MESSAGE)
}

/** The message of the error in an answer or an event; null: it holds none. */
export function failureIn({ type, error, message }: JsonRecord): string | null {
  if (isRecord(error)) return textIn(error['message']) || textIn(error['type']) || UNTOLD
  if (typeof error === 'string' && error !== '') return error
  return type === 'error' ? textIn(message) || UNTOLD : null
}
