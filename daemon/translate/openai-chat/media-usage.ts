import { countIn, isRecord, isReport, recordIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'
import { reportedUsage } from './usage.ts'

/** Embeddings say it as chats do, pictures and sound in other words, ranks only how many all in all. */
export function mediaUsage(answer: unknown): Usage | null {
  if (!isRecord(answer)) return null
  const usage = recordIn(answer['usage'])
  if ('prompt_tokens' in usage) return reportedUsage(answer)
  const { input_tokens: read = usage['total_tokens'], output_tokens: said } = usage
  if (!isReport(read, said)) return null
  return {
    inputTokens: countIn(read),
    outputTokens: countIn(said),
    cachedTokens: 0,
    reasoningTokens: 0,
  }
}
