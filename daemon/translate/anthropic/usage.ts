import { onlyOutermost } from '../json-find.ts'
import { isCount, recordIn, textIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'

/** The usage in the bytes of a whole answer. @returns null when it reports none */
export function usageOf(answer: Buffer): Usage | null {
  try {
    const { usage } = recordIn(onlyOutermost(answer, 'usage') ?? JSON.parse(answer.toString('utf8')))
    return readUsage(usage, null)
  } catch {
    return null // not JSON: the upstream reported nothing
  }
}

/**
 * Usage as the neutral form counts it: the input is all of the prompt, while Anthropic's leaves out what a cache held.
 * @param before what was reported earlier in a stream: reports are totals, and may leave out what has not changed
 * @returns null when nothing is reported, or what is no count
 */
export function readUsage(reported: unknown, before: Usage | null): Usage | null {
  const usage = recordIn(reported)
  const { input_tokens: fresh, output_tokens: said } = usage
  const { cache_read_input_tokens: read, cache_creation_input_tokens: written } = usage
  const long =
    count(recordIn(usage['cache_creation'])['ephemeral_1h_input_tokens']) ?? before?.longCacheWriteTokens ?? 0
  const service = textIn(usage['service_tier']) ?? before?.service
  const cachedTokens = count(read) ?? before?.cachedTokens ?? 0
  const cacheWriteTokens = count(written) ?? before?.cacheWriteTokens ?? 0
  const freshTokens = total(fresh, before && before.inputTokens - before.cachedTokens - (before.cacheWriteTokens ?? 0))
  const outputTokens = total(said, before?.outputTokens ?? (said === undefined ? 0 : null))
  if (freshTokens === null || outputTokens === null) return null
  return {
    inputTokens: freshTokens + cachedTokens + cacheWriteTokens,
    outputTokens,
    cachedTokens,
    cacheWriteTokens,
    ...(long > 0 && { longCacheWriteTokens: Math.min(long, cacheWriteTokens) }),
    ...(service !== undefined && { service }),
    reasoningTokens: count(recordIn(usage['output_tokens_details'])['thinking_tokens']) ?? before?.reasoningTokens ?? 0,
  }
}

const count = (value: unknown): number | null => (isCount(value) ? value : null)

/** A total; null: it is no count, or was never said. */
const total = (value: unknown, before: number | null): number | null => count(value ?? before)

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
