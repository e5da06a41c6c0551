import { GateError } from '../../../schemas/words/errors.ts'
import { thoughtsFirst, thoughtsIn } from '../call-signature.ts'
import { isRecord, type JsonRecord, listIn, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { MediaPart, NeutralMessage, NeutralPart } from '../neutral.ts'

/** A call that has no result yet. */
type Open = { readonly id: string; readonly name: string }

/** The messages of a request. Calls have no ids, and results name the tool at most. @throws GateError BAD_REQUEST */
export function readMessages(messages: readonly unknown[]): readonly NeutralMessage[] {
  const read: { readonly role: NeutralMessage['role']; readonly parts: NeutralPart[] }[] = []
  const open: Open[] = []
  let calls = 0
  const idOf = (call: JsonRecord, name: string): string => {
    const id = textIn(call['id']) || `call_${calls}`
    calls += 1
    open.push({ id, name })
    return id
  }
  for (const [index, message] of messages.entries()) {
    const where = `messages[${index}]`
    if (!isRecord(message)) throw wrong(where, 'must be an object')
    const text = textIn(message['content']) ?? ''
    const parts: NeutralPart[] = text === '' ? [] : [{ kind: 'text', text }]
    parts.push(...imagesOf(listIn(message['images']), `${where}.images`))
    const last = read.at(-1)
    switch (message['role']) {
      case 'system':
      case 'user':
        read.push({ role: message['role'], parts })
        break
      case 'assistant':
        read.push({ role: 'assistant', parts: [...saidBy(message, parts, callsIn(message, idOf))] })
        break
      case 'tool': {
        const result = {
          kind: 'result',
          id: answered(open, message),
          parts: parts.filter(isShown),
          isError: false,
        } as const
        const isNext = last?.role === 'user' && last.parts.at(-1)?.kind === 'result'
        if (isNext) last.parts.push(result)
        else read.push({ role: 'user', parts: [result] })
        break
      }
      default:
        throw wrong(`${where}.role`, 'must be system, user, assistant or tool')
    }
  }
  return read
}

type Shown = Extract<NeutralPart, { readonly kind: 'text' | 'media' }>
const isShown = (part: NeutralPart): part is Shown => part.kind === 'text' || part.kind === 'media'

/** What was shown of a thought is not needed where it comes back whole, with a call. */
function saidBy(
  { thinking }: JsonRecord,
  parts: readonly NeutralPart[],
  calls: readonly NeutralPart[],
): readonly NeutralPart[] {
  const shown = textIn(thinking) ?? ''
  const said = thoughtsFirst([...parts, ...calls])
  if (shown === '' || calls.some(({ kind }) => kind !== 'call')) return said
  return [{ kind: 'reasoning', text: shown, signature: null }, ...said]
}

function callsIn(message: JsonRecord, idOf: (call: JsonRecord, name: string) => string): readonly NeutralPart[] {
  return recordsIn(message['tool_calls']).flatMap((call) => {
    const { name, arguments: args } = recordIn(call['function'])
    const json = typeof args === 'string' ? args : JSON.stringify(args ?? {})
    const thoughts = thoughtsIn(textIn(call['thought_signature']))
    return [...thoughts, { kind: 'call', id: idOf(call, textIn(name) ?? ''), name: textIn(name) ?? '', json }]
  })
}

/** The call that a result belongs to: by id, by name, or the first that has none. */
function answered(open: Open[], message: JsonRecord): string {
  const name = textIn(message['tool_name']) ?? textIn(message['name'])
  const byId = open.findIndex(({ id }) => id === message['tool_call_id'])
  const byName = name === null ? 0 : open.findIndex((call) => call.name === name)
  const [found] = open.splice(byId === -1 ? Math.max(0, byName) : byId, 1)
  return found?.id ?? name ?? ''
}

/** How the base64 of each kind of image begins. */
const TYPES = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
] as const

/** @throws GateError BAD_REQUEST */
export function imagesOf(images: readonly unknown[], where: string): readonly MediaPart[] {
  return images.map((image, index) => {
    if (typeof image !== 'string') throw wrong(`${where}[${index}]`, 'must be base64')
    const mediaType = TYPES.find(([start]) => image.startsWith(start))?.[1] ?? 'image/png'
    return { kind: 'media', form: 'image', source: { kind: 'base64', mediaType, base64: image }, name: null }
  })
}

function wrong(where: string, what: string): GateError {
  return new GateError('BAD_REQUEST', `${where}: ${what}`, { param: where })
}
