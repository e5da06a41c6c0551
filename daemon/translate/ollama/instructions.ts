import { type JsonRecord, listIn, textIn } from '../json-value.ts'

/** The request with a text in front of its instructions. */
export function withInstructions(request: JsonRecord, text: string): JsonRecord {
  if (request['messages'] !== undefined) {
    return { ...request, messages: [{ role: 'system', content: text }, ...listIn(request['messages'])] }
  }
  const said = textIn(request['system'])
  return { ...request, system: said === null ? text : `${text}\n\n${said}` }
}
