import { withoutKeys } from './gate-key.ts'

/**
 * Every way a request can be refused, listed once: code -> HTTP status.
 * Codes are stable; messages are not.
 */
export const ERRORS = {
  BAD_REQUEST: { status: 400 },
  INVALID_JSON: { status: 400 },
  INVALID_HOST: { status: 400 },
  AMBIGUOUS_LENGTH: { status: 400 },
  FORBIDDEN_FIELD: { status: 400 },
  MISSING_KEY: { status: 401 },
  INVALID_KEY: { status: 401 },
  SESSION_EXPIRED: { status: 401 },
  SIGN_IN_REFUSED: { status: 401 },
  CSRF_REFUSED: { status: 403 },
  BEYOND_MAKER: { status: 403 },
  MISSING_SCOPE: { status: 403 },
  FORBIDDEN_ADDRESS: { status: 403 },
  MODEL_FORBIDDEN: { status: 403 },
  PRICE_UNKNOWN: { status: 403 },
  BOUND_MISSING: { status: 403 },
  UNKNOWN_ROUTE: { status: 404 },
  MODEL_NOT_FOUND: { status: 404 },
  RESPONSE_NOT_FOUND: { status: 404 },
  OBJECT_NOT_FOUND: { status: 404 },
  USER_NOT_FOUND: { status: 404 },
  TEAM_NOT_FOUND: { status: 404 },
  SESSION_NOT_FOUND: { status: 404 },
  METHOD_NOT_ALLOWED: { status: 405 },
  REQUEST_TIMEOUT: { status: 408 },
  NAME_TAKEN: { status: 409 },
  LAST_ADMIN: { status: 409 },
  DECLARED: { status: 409 },
  TOO_MANY_ENTRIES: { status: 409 },
  BODY_TOO_LARGE: { status: 413 },
  UNSUPPORTED_MEDIA_TYPE: { status: 415 },
  EXPECTATION_FAILED: { status: 417 },
  MISDIRECTED: { status: 421 },
  UPGRADE_REQUIRED: { status: 426 },
  TOO_MANY_REQUESTS: { status: 429 },
  BUDGET_RESERVED: { status: 429 },
  BUDGET_EXHAUSTED: { status: 429 },
  TOO_MANY_ATTEMPTS: { status: 429 },
  HEADERS_TOO_LARGE: { status: 431 },
  INTERNAL: { status: 500 },
  UPSTREAM_FAILED: { status: 502 },
  UPSTREAM_TRUNCATED: { status: 502 },
  IDP_UNREACHABLE: { status: 502 },
  NOT_READY: { status: 503 },
  OVERLOADED: { status: 503 },
  BACKEND_BUSY: { status: 503 },
  BACKEND_DOWN: { status: 503 },
  UPSTREAM_TIMEOUT: { status: 504 },
  STORE_UNAVAILABLE: { status: 507 },
  LOOP_DETECTED: { status: 508 },
} as const satisfies Record<string, { status: number }>

export type ErrorCode = keyof typeof ERRORS

/**
 * A refusal that is shown to the client. The message goes to the client: what is wrong and what to do, no secret; what
 * it quotes of a request may hold a key, which is taken out.
 */
export class GateError extends Error {
  readonly code: ErrorCode
  /** That of the answer: of its code, or what an upstream has answered. */
  readonly status: number
  readonly param: string | null
  readonly retryAfterS: number | null
  /** The message without what a model wrote, which no log may hold. */
  readonly logged: string
  /** What belongs to the status, such as `allow`. */
  readonly headers: Readonly<Record<string, string>>
  constructor(
    code: ErrorCode,
    message: string,
    options: {
      readonly cause?: unknown
      readonly param?: string
      /** Left out: that of the code. */
      readonly status?: number
      /** Left out: the message. */
      readonly logged?: string
      readonly retryAfterS?: number
      readonly headers?: Readonly<Record<string, string>>
    } = {},
  ) {
    super(withoutKeys(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GateError'
    this.code = code
    this.status = options.status ?? ERRORS[code].status
    this.logged = options.logged ?? this.message
    this.param = options.param ?? null
    this.retryAfterS = options.retryAfterS ?? null
    this.headers = options.headers ?? {}
  }
}
