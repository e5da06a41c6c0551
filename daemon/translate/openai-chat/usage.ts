import { countIn, isReport, recordIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'
import { SERVICE, saidTokens, usageReader } from '../openai-usage.ts'

/** The usage in the bytes of a whole answer. @returns null when it reports none */
export const usageOf = usageReader(reportedUsage)

/** The usage in an answer or a stream's chunk. @returns null when it has none */
export function reportedUsage(answer: unknown): Usage | null {
  const usage = field(answer, 'usage') ?? usageElsewhere(answer)
  const { prompt_tokens: read, completion_tokens: said, total_tokens: total } = recordIn(usage)
  if (!isReport(read, said)) return null
  const service = field(answer, SERVICE)
  const written = field(field(usage, 'prompt_tokens_details'), 'cache_write_tokens')
  const sound = field(field(usage, 'prompt_tokens_details'), 'audio_tokens')
  const reasoning = countIn(field(field(usage, 'completion_tokens_details'), 'reasoning_tokens'))
  // Moonshot says it at the top
  const cached = field(field(usage, 'prompt_tokens_details'), 'cached_tokens') ?? field(usage, 'cached_tokens')
  return {
    ...(typeof sound === 'number' && sound > 0 && { audioTokens: countIn(sound) }),
    ...(typeof written === 'number' && { cacheWriteTokens: countIn(written) }),
    ...(typeof service === 'string' && { service }),
    inputTokens: countIn(read),
    outputTokens: saidTokens({ read, said, reasoning, total }),
    cachedTokens: countIn(cached),
    reasoningTokens: reasoning,
  }
}

/** Groq's streams say it beside their id, Moonshot's in the choice that has ended. */
function usageElsewhere(answer: unknown): unknown {
  const choices = field(answer, 'choices')
  return field(field(answer, 'x_groq'), 'usage') ?? (Array.isArray(choices) ? field(choices[0], 'usage') : null)
}

function field(value: unknown, name: string): unknown {
  if (value === null || typeof value !== 'object') return null
  return (value as Readonly<Record<string, unknown>>)[name] ?? null
}
