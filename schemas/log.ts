/** Fields that a log line may carry. An allow-list: whatever is not named here cannot be logged. */
export type LogFields = {
  readonly request_id?: string
  readonly key_id?: string
  readonly key?: string
  readonly upstream?: string
  readonly model?: string
  readonly status?: number
  readonly code?: string
  readonly error?: string
  readonly duration_ms?: number
  readonly ttft_ms?: number
  readonly method?: string
  readonly path?: string
  readonly client?: string
  readonly state?: string
  readonly task?: string
  readonly reason?: string
  readonly url?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly count?: number
  readonly input_tokens?: number
  readonly output_tokens?: number
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Writes one line. `message` is a constant sentence; what varies goes into `fields`. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void
