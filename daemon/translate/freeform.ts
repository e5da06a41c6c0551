import { type JsonRecord, parsedRecord, recordIn, textIn } from './json-value.ts'
import type { NeutralTool } from './neutral.ts'

// OpenAI's tools that take a text. In the neutral form they take an object whose one key `input` is that text, as they
// do at upstreams that have no such tools.

const TEXT_ALONE = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }

/** @param format of the text, as the Responses API has it; left out: any text */
export function freeformTool(name: string, description: unknown, format: unknown): NeutralTool {
  const { type, syntax, definition } = recordIn(format)
  const rule = type === 'grammar' ? `"input" must follow this ${syntax} grammar:\n${definition}` : null
  const described = [textIn(description), rule].filter((text) => text !== null)
  return {
    name,
    description: described.length === 0 ? null : described.join('\n\n'),
    schema: TEXT_ALONE,
    isStrict: null,
    freeform: { format: format ?? { type: 'text' }, description: textIn(description) },
  }
}

/** The arguments that a text is in the neutral form. */
export const jsonOfInput = (input: unknown): string => JSON.stringify({ input: textIn(input) ?? '' })

/** The text that arguments stand for. Some models write it without the object around it. */
export const inputOf = (json: string): string => textIn(parsedRecord(json)?.['input']) ?? json

/** How OpenAI describes the tool itself: without what tells other models of its format. */
export function ownDescription({ freeform }: NeutralTool): JsonRecord {
  const description = freeform?.description ?? null
  return description === null ? {} : { description }
}
