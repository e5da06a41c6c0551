import { isRecord, type JsonRecord, listIn } from '../json-value.ts'

const INSTRUCTING = new Set<unknown>(['system', 'developer'])

/** The request with a text in front of its instructions. Templates of many models take one such message only. */
export function withInstructions(request: JsonRecord, text: string): JsonRecord {
  const [first, ...others] = listIn(request['messages'])
  if (!isRecord(first) || !INSTRUCTING.has(first['role'])) {
    const all = first === undefined ? [] : [first, ...others]
    return { ...request, messages: [{ role: 'system', content: text }, ...all] }
  }
  const { content } = first
  const joined = Array.isArray(content) ? [{ type: 'text', text }, ...content] : `${text}\n\n${content}`
  return { ...request, messages: [{ ...first, content: joined }, ...others] }
}
