import type { GateError } from '../../schemas/words/errors.ts'

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

/** The error body that OpenAI's SDKs understand, in each of its APIs. */
export function errorBody({ code, status, message, param }: GateError) {
  const type = TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error')
  return { error: { message, type, param, code: code.toLowerCase() } }
}
