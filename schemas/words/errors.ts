/**
 * Every way a request can be refused, listed once: code -> HTTP status and the `type` that OpenAI's SDKs know.
 * Codes are stable; messages are not.
 */
export const ERRORS = {
  BAD_REQUEST: { status: 400, type: 'invalid_request_error' },
  INVALID_JSON: { status: 400, type: 'invalid_request_error' },
  INVALID_HOST: { status: 400, type: 'invalid_request_error' },
  AMBIGUOUS_LENGTH: { status: 400, type: 'invalid_request_error' },
  FORBIDDEN_FIELD: { status: 400, type: 'invalid_request_error' },
  MISSING_KEY: { status: 401, type: 'authentication_error' },
  INVALID_KEY: { status: 401, type: 'authentication_error' },
  MISSING_SCOPE: { status: 403, type: 'permission_error' },
  FORBIDDEN_ADDRESS: { status: 403, type: 'permission_error' },
  UNKNOWN_ROUTE: { status: 404, type: 'invalid_request_error' },
  MODEL_NOT_FOUND: { status: 404, type: 'invalid_request_error' },
  METHOD_NOT_ALLOWED: { status: 405, type: 'invalid_request_error' },
  BODY_TOO_LARGE: { status: 413, type: 'invalid_request_error' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, type: 'invalid_request_error' },
  MISDIRECTED: { status: 421, type: 'invalid_request_error' },
  TOO_MANY_REQUESTS: { status: 429, type: 'rate_limit_error' },
  INTERNAL: { status: 500, type: 'server_error' },
  UPSTREAM_FAILED: { status: 502, type: 'upstream_error' },
  UPSTREAM_TRUNCATED: { status: 502, type: 'upstream_error' },
  NOT_READY: { status: 503, type: 'server_error' },
  BACKEND_BUSY: { status: 503, type: 'server_error' },
  BACKEND_DOWN: { status: 503, type: 'server_error' },
  UPSTREAM_TIMEOUT: { status: 504, type: 'upstream_error' },
  STORE_UNAVAILABLE: { status: 507, type: 'server_error' },
} as const satisfies Record<string, { status: number; type: string }>

export type ErrorCode = keyof typeof ERRORS

/** A refusal that the client is told about. The message goes to the client: what is wrong and what to do, no secret. */
export class GateError extends Error {
  readonly code: ErrorCode
  readonly param: string | null
  readonly retryAfterS: number | null
  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly param?: string; readonly retryAfterS?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GateError'
    this.code = code
    this.param = options.param ?? null
    this.retryAfterS = options.retryAfterS ?? null
  }
}
