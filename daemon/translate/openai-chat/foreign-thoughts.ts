import { type JsonOutline, outlineOf } from '../../../syntax/json/outline.ts'
import { isOurs, mayHoldOurs } from '../call-signature.ts'
import { holds } from '../json-find.ts'
import { type Edit, memberEdits } from '../json-splice.ts'
import { isRecord, type JsonRecord, recordIn } from '../json-value.ts'

/** Those who take the signatures of Google, or may. */
const TAKE = new Set(['google', 'openrouter', 'custom', 'peer'])
/** Those who take the list of OpenRouter, or may. */
const TAKE_DETAILS = new Set(['openrouter', 'custom', 'peer'])

/** What takes out of a body what another provider thought, which Google or Gate has put into its calls. */
export function foreignThoughtsEdits(body: Buffer, provider: string, outline: JsonOutline = outlineOf(body)): Edit[] {
  const takes = TAKE.has(provider)
  const hasDetails = !TAKE_DETAILS.has(provider) && holds(body, 'reasoning_details"')
  const hasSignatures = takes ? mayHoldOurs(body) : holds(body, 'thought_signature"')
  if (provider === 'peer' || !(hasDetails || hasSignatures)) return []
  return memberEdits(body, outline, 'messages', (messages) =>
    Array.isArray(messages)
      ? messages.map((message) => withCalls(hasDetails ? withoutDetails(message) : message, takes))
      : messages,
  )
}

/** Its text stays: clients have that beside it. */
function withoutDetails(message: unknown): unknown {
  if (!isRecord(message)) return message
  const { reasoning_details: _, ...rest } = message
  return rest
}

/** Clients have it with the call, and some with the whole message. */
function withCalls(message: unknown, takes: boolean): unknown {
  if (!isRecord(message) || !Array.isArray(message['tool_calls'])) return message
  const calls = message['tool_calls'].map((call) => (isRecord(call) ? withoutForeign(call, takes) : call))
  return { ...withoutForeign(message, takes), tool_calls: calls }
}

function withoutForeign(value: JsonRecord, takes: boolean): JsonRecord {
  const { extra_content: extra, ...rest } = value
  const signature = recordIn(recordIn(extra)['google'])['thought_signature']
  return isOurs(signature) || (!takes && signature !== undefined) ? rest : value
}
