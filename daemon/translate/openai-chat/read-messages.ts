import { GateError } from '../../../schemas/words/errors.ts'
import { append } from '../append.ts'
import { thoughtsFirst, thoughtsIn } from '../call-signature.ts'
import { inDataUrl, NEEDS_DATA_URL } from '../data-url.ts'
import { jsonOfInput } from '../freeform.ts'
import { isRecord, type JsonRecord, listIn, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { Feature, MediaPart, MediaSource, NeutralMessage, NeutralPart, TextPart } from '../neutral.ts'
import { detailsIn, signatureOf, textOf } from './reasoning-details.ts'

/** The messages of a request. Results of tools belong to the user's turn. @throws GateError BAD_REQUEST */
export function readMessages(messages: readonly unknown[], features: Set<Feature>): readonly NeutralMessage[] {
  const read: { readonly role: NeutralMessage['role']; readonly parts: NeutralPart[] }[] = []
  for (const [index, message] of messages.entries()) {
    const where = `messages[${index}]`
    if (!isRecord(message)) throw wrong(where, 'must be an object')
    const next = readMessage(message, where, features)
    const last = read.at(-1)
    const isResult = message['role'] === 'tool'
    if (isResult && last?.role === 'user' && last.parts.at(-1)?.kind === 'result') append(last.parts, next.parts)
    else read.push({ role: next.role, parts: [...next.parts] })
  }
  return read
}

function readMessage(message: JsonRecord, where: string, features: Set<Feature>): NeutralMessage {
  const { role, content } = message
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', parts: readContent(content, `${where}.content`, features) }
    case 'user':
      return { role: 'user', parts: readContent(content, `${where}.content`, features) }
    case 'tool': {
      const parts = readContent(content, `${where}.content`, features)
      return {
        role: 'user',
        parts: [{ kind: 'result', id: textIn(message['tool_call_id']) ?? '', parts, isError: false }],
      }
    }
    case 'assistant':
      return { role: 'assistant', parts: readAssistant(message, where, features) }
    default:
      throw wrong(`${where}.role`, 'must be system, developer, user, assistant or tool')
  }
}

function readAssistant(message: JsonRecord, where: string, features: Set<Feature>): readonly NeutralPart[] {
  if (isRecord(message['audio'])) features.add('media of the model')
  if (listIn(message['annotations']).length > 0) features.add('citations')
  const parts: NeutralPart[] = [...readContent(message['content'], `${where}.content`, features)]
  const refusal = textIn(message['refusal'])
  if (refusal !== null && refusal !== '') parts.push({ kind: 'refusal', text: refusal })
  for (const call of recordsIn(message['tool_calls'])) {
    const signature = textIn(recordIn(recordIn(call['extra_content'])['google'])['thought_signature'])
    parts.push(...thoughtsIn(signature), {
      kind: 'call',
      id: textIn(call['id']) ?? '',
      ...calledIn(call),
    })
  }
  // what was shown of a thought is not needed where it comes back whole
  const details = detailsIn(message)
  const signed = signatureOf(details)
  const shown = textIn(message['reasoning_content']) || textIn(message['reasoning']) || textOf(details)
  if ((shown === '' && signed === null) || parts.some(isWholeThought)) return thoughtsFirst(parts)
  return [{ kind: 'reasoning', text: shown, ...(signed ?? { signature: null }) }, ...thoughtsFirst(parts)]
}

function calledIn({ function: called, custom }: JsonRecord): { readonly name: string; readonly json: string } {
  if (isRecord(custom)) return { name: textIn(custom['name']) ?? '', json: jsonOfInput(custom['input']) }
  const { name, arguments: json } = recordIn(called)
  return { name: textIn(name) ?? '', json: textIn(json) ?? '' }
}

const isWholeThought = (part: NeutralPart): boolean =>
  part.kind === 'redacted' || (part.kind === 'reasoning' && part.text !== '')

type Content = TextPart | MediaPart

function readContent(content: unknown, where: string, features: Set<Feature>): readonly Content[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }]
  if (content === null || content === undefined) return []
  if (!Array.isArray(content)) throw wrong(where, 'must be a text or a list of parts')
  return content.map((part, index) => readPart(recordIn(part), `${where}[${index}]`, features))
}

function readPart(part: JsonRecord, where: string, features: Set<Feature>): Content {
  const mark = part['prompt_cache_breakpoint']
  if (!isRecord(mark)) return readUnmarked(part, where)
  features.add('cache marks')
  return { ...readUnmarked(part, where), cacheMark: { isLong: mark['ttl'] === '12h' } }
}

function readUnmarked(part: JsonRecord, where: string): Content {
  switch (part['type']) {
    case 'text':
      return { kind: 'text', text: textIn(part['text']) ?? '' }
    case 'refusal':
      return { kind: 'text', text: textIn(part['refusal']) ?? '' }
    case 'image_url': {
      const { url, detail } = recordIn(part['image_url'])
      const source = sourceOf(textIn(url) ?? '', where)
      const closely = typeof detail === 'string' && detail !== 'auto' ? { detail } : {}
      return { kind: 'media', form: 'image', source, name: null, ...closely }
    }
    case 'file': {
      const { file_data: file, file_id: id, filename } = recordIn(part['file'])
      const source: MediaSource = typeof id === 'string' ? { kind: 'file', id } : sourceOf(textIn(file) ?? '', where)
      return { kind: 'media', form: 'document', source, name: textIn(filename) }
    }
    case 'input_audio': {
      const { data, format } = recordIn(part['input_audio'])
      const source: MediaSource = { kind: 'base64', mediaType: `audio/${format}`, base64: textIn(data) ?? '' }
      return { kind: 'media', form: 'audio', source, name: null }
    }
    default:
      throw wrong(`${where}.type`, 'must be text, image_url, input_audio, file or refusal')
  }
}

/** An address, or what a `data:` URL holds. */
function sourceOf(url: string, where: string): MediaSource {
  if (!url.startsWith('data:')) {
    if (url === '') throw wrong(where, 'names no data')
    return { kind: 'url', url }
  }
  const found = inDataUrl(url)
  if (found === null) throw wrong(where, NEEDS_DATA_URL)
  return found
}

function wrong(where: string, what: string): GateError {
  return new GateError('BAD_REQUEST', `${where}: ${what}`, { param: where })
}
