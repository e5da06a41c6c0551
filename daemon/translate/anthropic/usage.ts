import { onlyOutermost } from '../json-find.ts'
import { countIn, isRecord, recordIn, textIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'

/** The usage in the bytes of a whole answer. @returns null when it reports none */
export function usageOf(answer: Buffer): Usage | null {
  try {
    const { usage } = recordIn(onlyOutermost(answer, 'usage') ?? JSON.parse(answer.toString('utf8')))
    return isRecord(usage) ? readUsage(usage, NOTHING) : null
  } catch {
    return null // not JSON: the upstream reported nothing
  }
}

/** No tokens at all. */
export const NOTHING: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0 }

/**
 * Usage as the neutral form counts it: the input is all of the prompt, while Anthropic's leaves out what a cache held.
 * @param before what was reported earlier in a stream: reports are totals, and may leave out what has not changed
 */
export function readUsage(usage: Readonly<Record<string, unknown>>, before: Usage): Usage {
  const { input_tokens: fresh, cache_read_input_tokens: read, cache_creation_input_tokens: written } = usage
  const long = count(recordIn(usage['cache_creation'])['ephemeral_1h_input_tokens']) ?? before.longCacheWriteTokens ?? 0
  const service = textIn(usage['service_tier']) ?? before.service
  const cachedTokens = count(read) ?? before.cachedTokens
  const cacheWriteTokens = count(written) ?? before.cacheWriteTokens ?? 0
  const freshTokens = count(fresh) ?? before.inputTokens - before.cachedTokens - (before.cacheWriteTokens ?? 0)
  return {
    inputTokens: freshTokens + cachedTokens + cacheWriteTokens,
    outputTokens: count(usage['output_tokens']) ?? before.outputTokens,
    cachedTokens,
    cacheWriteTokens,
    ...(long > 0 && { longCacheWriteTokens: Math.min(long, cacheWriteTokens) }),
    ...(service !== undefined && { service }),
    reasoningTokens: count(recordIn(usage['output_tokens_details'])['thinking_tokens']) ?? before.reasoningTokens,
  }
}

const count = (value: unknown): number | null => (typeof value === 'number' ? countIn(value) : null)

/** Usage as Anthropic reports it. */
export function usageObject(usage: Usage): object {
  return {
    ...deltaUsageObject(usage),
    cache_creation: null,
    inference_geo: null,
    service_tier: usage.service === 'priority' ? 'priority' : null,
    speed: null,
  }
}

/** The same at the end of a stream. */
export function deltaUsageObject(usage: Usage): object {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens = 0, reasoningTokens } = usage
  return {
    input_tokens: Math.max(0, inputTokens - cachedTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
    output_tokens: outputTokens,
    output_tokens_details: reasoningTokens === 0 ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  }
}
