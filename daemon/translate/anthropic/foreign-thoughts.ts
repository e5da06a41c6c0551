import type { JsonOutline } from '../../../syntax/json/outline.ts'
import { type Edit, memberEdits } from '../json-splice.ts'
import { isRecord, type JsonRecord } from '../json-value.ts'

/** Those who look at signatures; another Gate does so for itself, and engines sign nothing. */
const LOOK = new Set(['anthropic', 'openrouter'])

/** A signature that Gate has written for another provider: none, or one with a name before it. */
const FOREIGN = /"signature"\s*:\s*"(?:"|[a-z-]+:)/

/** The index of a citation of what another provider has found. */
export const NO_INDEX = 'gate-none'

/**
 * What takes thinking out of a body that the provider has not signed, and citations of what it has not found: it would
 * refuse the request over them.
 */
export function foreignThoughtsEdits(body: Buffer, provider: string, outline: JsonOutline): Edit[] {
  if (!LOOK.has(provider)) return []
  const mayThink = body.includes('signature"') && FOREIGN.test(body.toString('latin1'))
  if (!mayThink && !body.includes(NO_INDEX)) return []
  return memberEdits(body, outline, 'messages', (messages) =>
    Array.isArray(messages) ? messages.flatMap(withoutForeign) : messages,
  )
}

/** A turn of nothing else is left out. */
function withoutForeign(message: unknown): readonly unknown[] {
  if (!isRecord(message) || !Array.isArray(message['content'])) return [message]
  const content = message['content'].filter((block) => !isRecord(block) || !isForeign(block)).map(withoutCitations)
  return content.length === 0 ? [] : [{ ...message, content }]
}

function withoutCitations(block: unknown): unknown {
  if (!isRecord(block) || !Array.isArray(block['citations'])) return block
  const own = block['citations'].filter((one) => !isRecord(one) || one['encrypted_index'] !== NO_INDEX)
  if (own.length === block['citations'].length) return block
  const { citations: _, ...rest } = block
  return own.length === 0 ? rest : { ...rest, citations: own }
}

const isForeign = ({ type, signature }: JsonRecord): boolean =>
  type === 'thinking' && typeof signature === 'string' && /^(?:$|[a-z-]+:)/.test(signature)
