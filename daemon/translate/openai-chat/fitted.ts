import { type JsonOutline, outlineOf } from '../../../syntax/json/outline.ts'
import { holds, mayHold } from '../json-find.ts'
import { type Edit, edited, memberEdits, remade } from '../json-splice.ts'
import { isRecord, listIn } from '../json-value.ts'
import { effortFor, isRefused, type Quirks, quirksOf } from './providers.ts'

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
  if (outline.kind === 'refused' || isAsItIs(quirks, body)) return { body, dropped: [] }
  const keys = outline.members.map(({ key }) => key)
  const named = namesFor(quirks, keys)
  const { edits, hasLost } = valueEdits(body, outline, quirks)
  const spoken = edits.length === 0 ? body : edited(body, edits)
  const left = keys.filter((key) => named(key) === null && !isMeant(quirks, key))
  const dropped = hasLost ? [...left, 'messages'] : left
  if (keys.every((key) => named(key) === key)) return { body: spoken, dropped }
  return { body: remade(spoken, spoken === body ? outline : outlineOf(spoken), named), dropped }
}

/** Nothing that a client of OpenAI may say is said otherwise there, but for the role of the developer. */
const isAsItIs = (
  { lacks, takes, seed, efforts, limit, usage, lacksInMessages, hasDeveloper }: Quirks,
  body: Buffer,
): boolean =>
  lacks.length + lacksInMessages.length === 0 &&
  takes === undefined &&
  efforts === undefined &&
  seed === 'seed' &&
  (limit === NEW_LIMIT || usage === 'unknown') &&
  (hasDeveloper || !holds(body, 'developer"'))

const OLD_LIMIT = 'max_tokens'
const NEW_LIMIT = 'max_completion_tokens'

/** What a provider calls each field; null: it takes no such thing. */
function namesFor(quirks: Quirks, keys: readonly string[]): (key: string) => string | null {
  const isRenamed = quirks.limit === OLD_LIMIT && quirks.usage !== 'unknown' && !keys.includes(OLD_LIMIT)
  return (key) => {
    const name = isRenamed && key === NEW_LIMIT ? OLD_LIMIT : key === 'seed' ? quirks.seed : key
    return isRefused(quirks, name) ? null : name
  }
}

/** It is done although the field that asks for it is left out. */
const isMeant = ({ usage }: Quirks, key: string): boolean => usage === 'refused' && key === 'stream_options'

/** What writes values as a provider takes them. `hasLost`: not all that the messages say is left in them. */
function valueEdits(
  body: Buffer,
  outline: JsonOutline,
  quirks: Quirks,
): { readonly edits: readonly Edit[]; readonly hasLost: boolean } {
  const efforts =
    quirks.efforts === undefined
      ? []
      : memberEdits(body, outline, 'reasoning_effort', (value) =>
          typeof value === 'string' ? effortFor(quirks, value) : value,
        )
  const words = quirks.lacksInMessages.map((field) => `${field}"`)
  if (words.length === 0 || !mayHold(body, ...words)) {
    return { edits: [...efforts, ...roleEdits(body, outline, quirks)], hasLost: false }
  }
  let isOther = false
  let hasLost = false
  const fittedMessage = (message: unknown): unknown => {
    if (!isRecord(message)) return message
    const left = Object.entries(message).filter(([field]) => !quirks.lacksInMessages.includes(field))
    const role = message['role'] === 'developer' && !quirks.hasDeveloper ? 'system' : message['role']
    const lost = quirks.lacksInMessages.filter((field) => (message[field] ?? null) !== null)
    hasLost ||= lost.some((field) => listIn(message[field]).length > 0 || !Array.isArray(message[field]))
    isOther ||= left.length < Object.keys(message).length || role !== message['role']
    return { ...Object.fromEntries(left), ...('role' in message && { role }) }
  }
  const edits = memberEdits(body, outline, 'messages', (messages) =>
    Array.isArray(messages) ? messages.map(fittedMessage) : messages,
  )
  return { edits: [...efforts, ...(isOther ? edits : [])], hasLost }
}

/** Inside of a text every quote is escaped, so this can only be a key and its value. */
const DEVELOPER = /"role"\s*:\s*"developer"/g

/** OpenAI's newer name of the role `system` is unknown to most others. */
function roleEdits(body: Buffer, outline: JsonOutline, { hasDeveloper }: Quirks): readonly Edit[] {
  const members = outline.kind === 'object' ? outline.members : []
  const messages = members.find(({ key }) => key === 'messages')
  if (hasDeveloper || messages === undefined || !holds(body, 'developer"')) return []
  const text = body.toString('latin1', messages.start, messages.end)
  return [...text.matchAll(DEVELOPER)].map(({ index, 0: found }) => {
    const start = messages.start + index
    return { start, end: start + found.length, text: found.replace('developer', 'system') }
  })
}
