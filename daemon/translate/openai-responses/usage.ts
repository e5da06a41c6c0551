import { countIn, isReport, recordIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'
import { SERVICE, saidTokens, usageReader } from '../openai-usage.ts'

/** The usage in the bytes of a whole answer. @returns null when it reports none */
export const usageOf = usageReader(reportedUsage)

/** The usage in a response. @returns null when it has none */
export function reportedUsage(response: unknown): Usage | null {
  const { usage: reported, [SERVICE]: service } = recordIn(response)
  const usage = recordIn(reported)
  const { input_tokens: read, output_tokens: said, total_tokens: total } = usage
  if (!isReport(read, said)) return null
  const { cached_tokens: cached, cache_write_tokens: written } = recordIn(usage['input_tokens_details'])
  const reasoning = countIn(recordIn(usage['output_tokens_details'])['reasoning_tokens'])
  return {
    ...(typeof written === 'number' && { cacheWriteTokens: countIn(written) }),
    ...(typeof service === 'string' && { service }),
    inputTokens: countIn(read),
    outputTokens: saidTokens({ read, said, reasoning, total }),
    cachedTokens: countIn(cached),
    reasoningTokens: reasoning,
  }
}

export function usageObject(usage: Usage): object {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens = 0, reasoningTokens } = usage
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: cacheWriteTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  }
}
