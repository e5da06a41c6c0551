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

/** What its API says when an account has no money left: clients stop then, and do not try again. */
const NO_MONEY = 'insufficient_quota'

/** The error body that OpenAI's SDKs understand, in each of its APIs. */
export function errorBody({ code, status, message, param }: GateError) {
  if (code === 'BUDGET_EXHAUSTED') return { error: { message, type: NO_MONEY, param, code: NO_MONEY } }
  const type = TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error')
  return { error: { message, type, param, code: code.toLowerCase() } }
}
