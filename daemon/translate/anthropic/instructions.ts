import type { JsonRecord } from '../json-value.ts'

/** The request with a text in front of its instructions. */
export function withInstructions(request: JsonRecord, text: string): JsonRecord {
  const { system } = request
  if (Array.isArray(system)) return { ...request, system: [{ type: 'text', text }, ...system] }
  return { ...request, system: typeof system === 'string' ? `${text}\n\n${system}` : text }
}
