import type { JsonOutline } from '../../../syntax/json/outline.ts'
import { type Edit, memberEdits } from '../json-splice.ts'
import { isRecord, type JsonRecord } from '../json-value.ts'

/** Those who look at signatures; another Gate does so for itself, and engines sign nothing. */
const LOOK = new Set(['anthropic', 'openrouter'])

/** A signature that Gate has written for another provider: none, or one with a name before it. */
const FOREIGN = /"signature"\s*:\s*"(?:"|[a-z-]+:)/

/** What takes thinking out of a body that the provider has not signed: it would refuse the request over it. */
export function foreignThoughtsEdits(body: Buffer, provider: string, outline: JsonOutline): Edit[] {
  if (!LOOK.has(provider) || !body.includes('signature"') || !FOREIGN.test(body.toString('latin1'))) return []
  return memberEdits(body, outline, 'messages', (messages) =>
    Array.isArray(messages) ? messages.flatMap(withoutForeign) : messages,
  )
}

/** A turn of nothing else is left out. */
function withoutForeign(message: unknown): readonly unknown[] {
  if (!isRecord(message) || !Array.isArray(message['content'])) return [message]
  const content = message['content'].filter((block) => !isRecord(block) || !isForeign(block))
  return content.length === 0 ? [] : [{ ...message, content }]
}

const isForeign = ({ type, signature }: JsonRecord): boolean =>
  type === 'thinking' && typeof signature === 'string' && /^(?:$|[a-z-]+:)/.test(signature)
