import { type JsonMember, type JsonOutline, outlineOf } from '../../../syntax/json/outline.ts'
import { edited, remade } from '../json-splice.ts'
import { type Quirks, quirksOf } from './providers.ts'

/**
 * The body of a client of this dialect as a provider takes it: what it refuses is left out, and what it calls otherwise
 * is renamed. Nearly always the bytes as they came.
 * @returns the fields that were left out, too
 */
export function fitted(
  body: Buffer,
  provider: string,
  outline: JsonOutline = outlineOf(body),
): { readonly body: Buffer; readonly dropped: readonly string[] } {
  const quirks = quirksOf(provider)
  if (outline.kind === 'refused') return { body, dropped: [] }
  const { members } = outline
  const dropped = members.map(({ key }) => key).filter((key) => quirks.lacks.includes(key))
  const hasOldLimit = members.some(({ key }) => key === OLD_LIMIT)
  const isRenamed = quirks.limit === OLD_LIMIT && quirks.usage !== 'unknown' && !hasOldLimit
  const nameOf = (key: string) => {
    if (dropped.includes(key)) return null
    return isRenamed && key === NEW_LIMIT ? OLD_LIMIT : key
  }
  const spoken = withKnownRoles(body, members, quirks)
  if (members.every(({ key }) => nameOf(key) === key)) return { body: spoken, dropped }
  return { body: remade(spoken, spoken === body ? outline : outlineOf(spoken), nameOf), dropped }
}

const OLD_LIMIT = 'max_tokens'
const NEW_LIMIT = 'max_completion_tokens'

/** Inside of a text every quote is escaped, so this can only be a key and its value. */
const DEVELOPER = /"role"\s*:\s*"developer"/g

/** OpenAI's newer name of the role `system` is unknown to most others. */
function withKnownRoles(body: Buffer, members: readonly JsonMember[], { hasDeveloper }: Quirks): Buffer {
  const messages = members.find(({ key }) => key === 'messages')
  if (hasDeveloper || messages === undefined || !body.includes('developer"')) return body
  const text = body.toString('latin1', messages.start, messages.end)
  const edits = [...text.matchAll(DEVELOPER)].map(({ index, 0: found }) => {
    const start = messages.start + index
    return { start, end: start + found.length, text: found.replace('developer', 'system') }
  })
  return edits.length === 0 ? body : edited(body, edits)
}
