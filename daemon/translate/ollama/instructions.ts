import { isRecord, type JsonRecord, listIn } from '../json-value.ts'

/** The request with a text in front of its instructions. */
export function withInstructions(request: JsonRecord, text: string): JsonRecord {
  if (!Array.isArray(request['messages'])) return { ...request, system: joined(text, request['system']) }
  const [first, ...others] = listIn(request['messages'])
  if (isRecord(first) && first['role'] === 'system') {
    return { ...request, messages: [{ ...first, content: joined(text, first['content']) }, ...others] }
  }
  const all = first === undefined ? [] : [first, ...others]
  return { ...request, messages: [{ role: 'system', content: text }, ...all] }
}

const joined = (text: string, more: unknown): string => (typeof more === 'string' ? `${text}\n\n${more}` : text)
