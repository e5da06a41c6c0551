import type { NeutralPart } from './neutral.ts'

/**
 * The texts of a turn of the model as one. Pieces of a text are joined as they are; what comes after a call or a thought
 * is a text of its own.
 */
export function saidText(parts: readonly NeutralPart[]): string {
  let text = ''
  let isNew = false
  for (const part of parts) {
    if (part.kind !== 'text' && part.kind !== 'refusal') isNew = true
    else if (part.text !== '') {
      text += isNew && text !== '' ? `\n\n${part.text}` : part.text
      isNew = false
    }
  }
  return text
}
