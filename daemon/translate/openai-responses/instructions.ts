import type { JsonRecord } from '../json-value.ts'

/** The request with a text in front of its instructions. */
export function withInstructions(request: JsonRecord, text: string): JsonRecord {
  const { instructions } = request
  return { ...request, instructions: typeof instructions === 'string' ? `${text}\n\n${instructions}` : text }
}
