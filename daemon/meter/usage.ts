/** Tokens of one attempt. `estimated` when the upstream reported none and Gate counted. */
export type TokenCounts = {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly reasoningTokens: number
  readonly estimated: boolean
}

/** How an attempt ended. */
export type Outcome = 'ok' | 'refused' | 'failed' | 'truncated' | 'cancelled'

/** One row of the usage log: one attempt at one upstream. (requestId, attempt) is unique. Times in milliseconds. */
export type UsageRow = TokenCounts & {
  readonly requestId: string
  readonly attempt: number
  readonly startedAt: number
  readonly keyId: string
  readonly model: string
  readonly upstream: string
  readonly targetModel: string
  /** HTTP status of the upstream; 0 when it gave none. */
  readonly status: number
  readonly outcome: Outcome
  readonly costMicrodollars: number
  readonly durationMs: number
  readonly ttftMs: number | null
}

/** What metering needs from storage: rows that survive `kill -9` once it returns; a row that is appended twice counts once. */
export type UsageStore = { readonly append: (rows: readonly UsageRow[]) => void }

/**
 * Counts for an upstream that reports none: 4 bytes of prompt to a token, one token to a content frame.
 * @param promptBytes size of the request body
 * @param frames content frames of a stream, or 0
 * @param answerBytes size of an answer that was no stream
 */
export function estimatedUsage(promptBytes: number, frames: number, answerBytes: number): TokenCounts {
  return {
    inputTokens: Math.ceil(promptBytes / 4),
    outputTokens: frames > 0 ? frames : Math.ceil(answerBytes / 4),
    cachedTokens: 0,
    reasoningTokens: 0,
    estimated: true,
  }
}

export const NO_TOKENS: TokenCounts = {
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  estimated: false,
}
