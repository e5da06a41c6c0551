import { type JsonOutline, outlineOf } from '../../../syntax/json/outline.ts'
import { isOurs, mayHoldOurs } from '../call-signature.ts'
import { holds } from '../json-find.ts'
import { type Edit, memberEdits } from '../json-splice.ts'
import { isRecord, type JsonRecord, recordIn } from '../json-value.ts'

/** Those who take the signatures of Google, or may. */
const TAKE = new Set(['google', 'openrouter', 'custom', 'peer'])

/** What takes out of a body what another provider thought, which Google or Gate has put into its calls. */
export function foreignThoughtsEdits(body: Buffer, provider: string, outline: JsonOutline = outlineOf(body)): Edit[] {
  const takes = TAKE.has(provider)
  if (provider === 'peer' || !(takes ? mayHoldOurs(body) : holds(body, 'thought_signature"'))) return []
  return memberEdits(body, outline, 'messages', (messages) =>
    Array.isArray(messages) ? messages.map((message) => withCalls(message, takes)) : messages,
  )
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
