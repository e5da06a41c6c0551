import { countIn, isRecord, recordIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'
import { reportedUsage } from './usage.ts'

/** Embeddings say it as chats do, pictures and sound in other words, ranks only how many all in all. */
export function mediaUsage(answer: unknown): Usage | null {
  if (!isRecord(answer)) return null
  const usage = recordIn(answer['usage'])
  if ('prompt_tokens' in usage) return reportedUsage(answer)
  const isCounted = 'input_tokens' in usage || 'total_tokens' in usage
  if (!isCounted) return null
  return {
    inputTokens: countIn(usage['input_tokens'] ?? usage['total_tokens']),
    outputTokens: countIn(usage['output_tokens']),
    cachedTokens: 0,
    reasoningTokens: 0,
  }
}
