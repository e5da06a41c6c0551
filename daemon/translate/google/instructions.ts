import { type JsonRecord, recordIn } from '../json-value.ts'
import { oneOrMore } from './camel.ts'

/** The request with a text in front of its instructions. */
export function withInstructions(request: JsonRecord, text: string): JsonRecord {
  const { system_instruction: older, ...rest } = request
  const said = request['systemInstruction'] ?? older
  const { text: own = said, parts: given } = recordIn(said)
  const parts = typeof own === 'string' ? [{ text: own }] : oneOrMore(given)
  return { ...rest, systemInstruction: { parts: [{ text }, ...parts] } }
}
