import { providerRow } from '../../../schemas/words/providers.ts'
import { type JsonOutline, outlineOf } from '../../../syntax/json/outline.ts'
import { type Edit, memberEdits } from '../json-splice.ts'
import { isRecord, textIn } from '../json-value.ts'
import { isOurs, isUnsigned } from './reasoning.ts'

/** What takes reasoning out of a body that another provider has made: OpenAI would refuse the request over it. */
export function foreignThoughtsEdits(body: Buffer, provider: string, outline: JsonOutline = outlineOf(body)): Edit[] {
  if (provider === 'peer' || !body.includes('gate-')) return []
  return memberEdits(body, outline, 'input', (input) =>
    Array.isArray(input) ? input.filter((item) => !isForeign(item, provider)) : input,
  )
}

/** What nobody signed may be what the engine itself thought. */
function isForeign(item: unknown, provider: string): boolean {
  if (!isRecord(item) || item['type'] !== 'reasoning') return false
  const sealed = textIn(item['encrypted_content']) ?? ''
  return isOurs(sealed) && !(isUnsigned(sealed) && providerRow(provider).isEngine === true)
}
