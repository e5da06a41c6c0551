import { type JsonRecord, listIn, recordIn } from '../json-value.ts'

/** The request with a text in front of its instructions. */
export function withInstructions(request: JsonRecord, text: string): JsonRecord {
  const { system_instruction: older, ...rest } = request
  const said = request['systemInstruction'] ?? older
  const parts = typeof said === 'string' ? [{ text: said }] : listIn(recordIn(said)['parts'])
  return { ...rest, systemInstruction: { parts: [{ text }, ...parts] } }
}
