import { countIn, isReport, type JsonRecord, parsedRecord } from '../json-value.ts'
import type { Usage } from '../neutral.ts'

/** The usage in the bytes of a whole answer. @returns null when it reports none */
export const usageOf = (answer: Buffer): Usage | null => reportedUsage(parsedRecord(answer.toString('utf8')) ?? {})

/**
 * The usage in an answer or the last line of a stream. Older engines leave out how much they read where a cache held all
 * of it. @returns null when it has none
 */
export function reportedUsage({ prompt_eval_count: read, eval_count: said }: JsonRecord): Usage | null {
  if ((read === undefined && said === undefined) || !isReport(read === undefined ? 0 : read, said)) return null
  return { inputTokens: countIn(read), outputTokens: countIn(said), cachedTokens: 0, reasoningTokens: 0 }
}
