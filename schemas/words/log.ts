/**
 * Fields that a log line may carry, and their type. An allow-list: whatever is not named here cannot be logged. Numbers
 * are counts and milliseconds, and are logged whole.
 */
export const LOG_FIELDS = {
  request_id: 'string',
  key_id: 'string',
  key: 'string',
  upstream: 'string',
  model: 'string',
  status: 'number',
  code: 'string',
  error: 'string',
  duration_ms: 'number',
  wait: 'string',
  wait_ms: 'number',
  ttft_ms: 'number',
  method: 'string',
  path: 'string',
  client: 'string',
  state: 'string',
  task: 'string',
  reason: 'string',
  url: 'string',
  domain: 'string',
  source: 'string',
  until: 'string',
  file: 'string',
  line: 'number',
  column: 'number',
  budget: 'string',
  subject: 'string',
  percent: 'number',
  count: 'number',
  input_tokens: 'number',
  output_tokens: 'number',
  part: 'string',
  action: 'string',
  object: 'string',
  who: 'string',
  hash: 'string',
  relay: 'string',
} as const

type FieldTypes = { readonly string: string; readonly number: number }
export type LogFields = { readonly [K in keyof typeof LOG_FIELDS]?: FieldTypes[(typeof LOG_FIELDS)[K]] }

/** Most important first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** One line as it is kept, sent to `gatectl logs` and written as JSON. `time` is ISO 8601 in UTC with milliseconds. */
export type LogRecord = {
  readonly time: string
  readonly level: LogLevel
  readonly message: string
} & LogFields

/** Writes one line. `message` is a constant sentence; what varies goes into `fields`. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void
