import { ERRORS, type GateError } from '../../../schemas/words/errors.ts'

/**
 * The `type` that OpenAI's SDKs know, by status; any other 4xx is an `invalid_request_error`, any other 5xx a
 * `server_error`.
 */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
  502: 'upstream_error',
  504: 'upstream_error',
}

/** The error body that OpenAI's SDKs understand. */
export function errorBody({ code, message, param }: GateError): object {
  const { status } = ERRORS[code]
  const type = TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error')
  return { error: { message, type, param, code: code.toLowerCase() } }
}

/** The same as a frame of a stream. */
export function errorFrame(error: GateError): string {
  return `data: ${JSON.stringify(errorBody(error))}\n\n`
}

const UNTOLD = 'the upstream reported an error'

/** The message of an error that a whole answer is, although its status says success; null when it is none. */
export function failureOf(answer: Buffer): string | null {
  if (!answer.includes('"error"')) return null // quotes inside of content are escaped
  try {
    const value: unknown = JSON.parse(answer.toString('utf8'))
    return isRecord(value) ? failureIn(value) : null
  } catch {
    return null // not JSON: not an error that this dialect knows
  }
}

/** The message of the error in an answer or a chunk. Some write an empty one beside content, which is none. */
export function failureIn(event: Readonly<Record<string, unknown>>): string | null {
  const { error, object, message } = event
  if (object === 'error') return textOf(message)
  if (isRecord(error)) return Object.keys(error).length === 0 ? null : textOf(error['message'])
  return error === true || (typeof error === 'string' && error !== '') ? textOf(error) : null
}

export function textOf(message: unknown): string {
  return typeof message === 'string' && message !== '' ? message : UNTOLD
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
