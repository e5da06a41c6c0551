import type { JsonOutline } from '../../../syntax/json/outline.ts'
import type { UpstreamSide } from '../call.ts'
import { isOurs, mayHoldOurs } from '../call-signature.ts'
import { type Edit, memberEdits } from '../json-splice.ts'
import { isRecord } from '../json-value.ts'
import { oneOrMore } from './camel.ts'

/** Gemini 3 refuses a turn whose first call has no signature; this stands for one that it has not made itself. */
export const NOT_SIGNED = 'skip_thought_signature_validator'
export const ASKS_FOR_SIGNATURES = /gemini-(?:[3-9]|\d\d)/

/** What takes the place of signatures that Gate has made of what another provider thought: Google would refuse them. */
export function foreignThoughtsEdits(body: Buffer, { model, provider }: UpstreamSide, outline: JsonOutline): Edit[] {
  if (provider === 'peer' || !mayHoldOurs(body)) return []
  return memberEdits(body, outline, 'contents', (contents) =>
    oneOrMore(contents).map((content) => withParts(content, model)),
  )
}

function withParts(content: unknown, model: string): unknown {
  if (!isRecord(content) || !('parts' in content)) return content
  const parts = oneOrMore(content['parts'])
  return { ...content, parts: parts.map((part) => (isRecord(part) ? signedAnew(part, model) : part)) }
}

function signedAnew(part: object, model: string): object {
  const stand = ASKS_FOR_SIGNATURES.test(model) ? NOT_SIGNED : undefined
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, isOurs(value) ? stand : value]))
}
