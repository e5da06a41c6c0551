/**
 * Tokens of one attempt. `cachedTokens` and `cacheWriteTokens` are parts of the input, `reasoningTokens` of the output.
 * `estimated` when the upstream reported none and Gate counted.
 */
export type TokenCounts = {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly cacheWriteTokens: number
  readonly reasoningTokens: number
  readonly estimated: boolean
}

/** How an attempt ended. `interrupted`: Gate was killed meanwhile. */
export type Outcome = 'ok' | 'refused' | 'failed' | 'truncated' | 'cancelled' | 'interrupted'

/** One row of the usage log: one attempt at one upstream. (requestId, attempt) is unique. Times in milliseconds. */
export type UsageRow = TokenCounts & {
  readonly requestId: string
  readonly attempt: number
  readonly startedAt: number
  readonly keyId: string
  /** Empty where a request is about no model; `targetModel` then says what it is about, such as `files`. */
  readonly model: string
  readonly upstream: string
  readonly targetModel: string
  /** HTTP status of the upstream; 0 when it gave none. */
  readonly status: number
  readonly outcome: Outcome
  /** 0 also where the price is not known, and `unpriced` then says so. */
  readonly costMicrodollars: number
  readonly unpriced: boolean
  readonly durationMs: number
  readonly ttftMs: number | null
  /** Who asked, in the words of a program with users of its own; empty: that is not known. */
  readonly endUser: string
  /** Id of the person whose key or session it was; empty: a service key. */
  readonly userId: string
  /** Id of the person's first team, or of that of a service key; empty: none. */
  readonly team: string
  /** Of the model; empty where it has none. */
  readonly category: string
  /** What kind of upstream it is, such as `openai`. */
  readonly provider: string
  /** Ids of the person's other teams, with spaces between them. */
  readonly teams: string
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

type Reported = Omit<TokenCounts, 'estimated' | 'cacheWriteTokens'> & { readonly cacheWriteTokens?: number }

/** Counts that an upstream reports; what the ledger does not keep is left out. */
export function countsOf({
  inputTokens,
  outputTokens,
  cachedTokens,
  cacheWriteTokens = 0,
  reasoningTokens,
}: Reported): TokenCounts {
  return { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens, estimated: false }
}

/** Counts for an upstream that reports none. Of a stream each content frame is one token of output. */
export function estimatedUsage(inputTokens: number, outputTokens: number): TokenCounts {
  return { ...NO_TOKENS, inputTokens, outputTokens, estimated: true }
}

export const NO_TOKENS: TokenCounts = {
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  estimated: false,
}
