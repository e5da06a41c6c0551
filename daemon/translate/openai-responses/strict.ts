import { isRecord, type JsonRecord, recordIn, textIn } from '../json-value.ts'

/** What such upstreams have no field for. */
const UNKNOWN = new Set(['include', 'metadata', 'prompt_cache_key', 'safety_identifier', 'text', 'top_logprobs'])

/**
 * A request for upstreams whose responses refuse what they do not know: schemas of answers are where chat completions
 * have them, an effort stands alone, and a forced tool is only named.
 * @see https://docs.perplexity.ai/docs/agent-api/migrate-from-sonar
 */
export function strictly(request: JsonRecord): JsonRecord {
  const { reasoning, tool_choice: choice, ...rest } = request
  const effort = textIn(recordIn(reasoning)['effort'])
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([field]) => !UNKNOWN.has(field))),
    ...(Array.isArray(rest['input']) && { input: rest['input'].map(itemOf) }),
    ...(effort !== null && effort !== 'none' && { reasoning: { effort } }),
    ...(choice !== undefined && { tool_choice: isRecord(choice) ? { name: choice['name'] } : choice }),
    ...answerFormOf(recordIn(recordIn(rest['text'])['format'])),
  }
}

/** Schemas are always enforced. */
function answerFormOf({ type, strict: _, ...schema }: JsonRecord): JsonRecord {
  if (type === undefined) return {}
  return { response_format: type === 'json_schema' ? { type, json_schema: schema } : { type } }
}

/** Pictures have no detail. */
function itemOf(item: unknown): unknown {
  if (!isRecord(item) || !Array.isArray(item['content'])) return item
  const content = item['content'].map((part: unknown) => {
    const { detail: _, ...left } = recordIn(part)
    return left
  })
  return { ...item, content }
}
