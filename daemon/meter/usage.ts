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

/**
 * What metering needs from storage: rows that survive `kill -9` once it returns; a row that is appended twice counts
 * once.
 */
export type UsageStore = {
  readonly append: (rows: readonly UsageRow[]) => void
  /** Whether rows that were appended have nowhere to go, since what they belong in is damaged. */
  readonly isDamaged: () => boolean
}

/** Counts that an upstream reports; what the ledger does not keep is left out. */
export function countsOf({
  inputTokens,
  outputTokens,
  cachedTokens,
  reasoningTokens,
}: Omit<TokenCounts, 'estimated'>): TokenCounts {
  return { inputTokens, outputTokens, cachedTokens, reasoningTokens, estimated: false }
}

/** Counts for an upstream that reports none. Of a stream each content frame is one token of output. */
export function estimatedUsage(inputTokens: number, outputTokens: number): TokenCounts {
  return { inputTokens, outputTokens, cachedTokens: 0, reasoningTokens: 0, estimated: true }
}

export const NO_TOKENS: TokenCounts = {
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  estimated: false,
}
