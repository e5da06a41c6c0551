import { type JsonOutline, outlineOf } from '../../../syntax/json/outline.ts'
import { holds } from '../json-find.ts'
import { type Edit, memberEdits } from '../json-splice.ts'
import { isRecord } from '../json-value.ts'

/**
 * What takes out of a body what Gate has put into its calls: what another provider thought and signed. Ollama has no
 * place for it; the thought itself stays as `thinking`.
 */
export function foreignThoughtsEdits(body: Buffer, provider: string, outline: JsonOutline = outlineOf(body)): Edit[] {
  if (provider === 'peer' || !holds(body, 'thought_signature"')) return []
  return memberEdits(body, outline, 'messages', (messages) =>
    Array.isArray(messages) ? messages.map(withoutSignatures) : messages,
  )
}

function withoutSignatures(message: unknown): unknown {
  if (!isRecord(message) || !Array.isArray(message['tool_calls'])) return message
  return { ...message, tool_calls: message['tool_calls'].map(withoutSignature) }
}

function withoutSignature(call: unknown): unknown {
  if (!isRecord(call)) return call
  const { thought_signature: _, ...rest } = call
  return rest
}
