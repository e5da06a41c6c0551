import { GateError } from '../../../schemas/words/errors.ts'
import { append } from '../append.ts'
import { inDataUrl, NEEDS_DATA_URL } from '../data-url.ts'
import { jsonOfInput } from '../freeform.ts'
import { isRecord, type JsonRecord, listIn, recordIn, textIn } from '../json-value.ts'
import type { Feature, MediaPart, MediaSource, NeutralMessage, NeutralPart, TextPart } from '../neutral.ts'
import { summaryIn } from './compaction.ts'
import { reasoningOf } from './reasoning.ts'
import { flatName } from './tools.ts'

type Turn = { readonly role: NeutralMessage['role']; readonly parts: readonly NeutralPart[] }
type OpenTurn = { readonly role: Turn['role']; readonly parts: NeutralPart[] }

/**
 * The input of a request: a text, or a list of items. Items of the model in a row are one turn, and so are results of
 * tools. @param features what has no field in the neutral form @throws GateError BAD_REQUEST
 */
export function readInput(input: unknown, features: Set<Feature>): readonly NeutralMessage[] {
  if (input === undefined || input === null) return []
  if (typeof input === 'string') return [{ role: 'user', parts: [{ kind: 'text', text: input }] }]
  if (!Array.isArray(input)) throw wrong('input', 'must be a string or an array')
  const turns: OpenTurn[] = []
  for (const [index, item] of input.entries()) {
    const where = `input[${index}]`
    if (!isRecord(item)) throw wrong(where, 'must be an object')
    const turn = readItem(item, where, features)
    const last = turns.at(-1)
    if (turn === null) continue
    if (last !== undefined && areOne(last, turn)) {
      if (areTexts(last.parts.at(-1), turn.parts[0])) last.parts.push({ kind: 'text', text: '\n\n' })
      append(last.parts, turn.parts)
    } else turns.push({ role: turn.role, parts: [...turn.parts] })
  }
  return turns.filter(saysSomething)
}

const isResult = ({ kind }: NeutralPart): boolean => kind === 'result'
const isThought = ({ kind }: NeutralPart): boolean => kind === 'reasoning' || kind === 'redacted'

function areOne(last: Turn, next: Turn): boolean {
  if (last.role !== next.role) return false
  if (next.role === 'assistant') return true
  // an item has results or something else; and all of a long turn is not looked through for each of its items
  return next.role === 'user' && last.parts.at(-1)?.kind === 'result' && next.parts.every(isResult)
}

/** Messages of the model that follow each other are texts of their own. */
const areTexts = (last: NeutralPart | undefined, next: NeutralPart | undefined): boolean =>
  last?.kind === 'text' && next?.kind === 'text'

/** A turn of thinking alone is one that was broken off: providers refuse it. */
const saysSomething = ({ role, parts }: Turn): boolean => role !== 'assistant' || !parts.every(isThought)

/** Null for what no other dialect has. */
function readItem(item: JsonRecord, where: string, features: Set<Feature>): Turn | null {
  switch (item['type'] ?? 'message') {
    case 'message':
      return readMessage(item, where, features)
    case 'function_call':
      return { role: 'assistant', parts: [callOf(item, textIn(item['arguments']) ?? '')] }
    case 'custom_tool_call':
      return { role: 'assistant', parts: [callOf(item, jsonOfInput(item['input']))] }
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const parts = readContent(item['output'], `${where}.output`, features)
      return { role: 'user', parts: [{ kind: 'result', id: textIn(item['call_id']) ?? '', parts, isError: false }] }
    }
    case 'reasoning':
      return { role: 'assistant', parts: [reasoningOf(item)] }
    case 'item_reference':
      throw wrong(where, 'refers to an item that is not kept here; send the item itself')
    case 'compaction': {
      const text = summaryIn(item)
      if (text !== null) return { role: 'user', parts: [{ kind: 'text', text }] }
      throw wrong(where, 'is the compaction of another provider, which no other can read')
    }
    default:
      features.add('server tools') // calls of tools that the provider of the client runs, and their outcome
      return null
  }
}

function callOf(item: JsonRecord, json: string): NeutralPart {
  const name = flatName(textIn(item['namespace']), textIn(item['name']) ?? '')
  return { kind: 'call', id: textIn(item['call_id']) ?? '', name, json }
}

function readMessage({ role, content }: JsonRecord, where: string, features: Set<Feature>): Turn {
  if (role === 'user' || role === 'assistant')
    return { role, parts: readContent(content, `${where}.content`, features) }
  if (role === 'system' || role === 'developer') {
    return { role: 'system', parts: readContent(content, `${where}.content`, features) }
  }
  throw wrong(`${where}.role`, 'must be user, assistant, system or developer')
}

type Content = TextPart | MediaPart

function readContent(content: unknown, where: string, features: Set<Feature>): readonly Content[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }]
  if (content === null || content === undefined) return []
  if (!Array.isArray(content)) throw wrong(where, 'must be a string or an array')
  return content.map((part, index) => readPart(recordIn(part), `${where}[${index}]`, features))
}

function readPart(part: JsonRecord, where: string, features: Set<Feature>): Content {
  const mark = part['prompt_cache_breakpoint']
  if (!isRecord(mark)) return readUnmarked(part, where, features)
  features.add('cache marks')
  return { ...readUnmarked(part, where, features), cacheMark: { isLong: mark['ttl'] === '12h' } }
}

function readUnmarked(part: JsonRecord, where: string, features: Set<Feature>): Content {
  if (listIn(part['annotations']).length > 0) features.add('citations')
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'summary_text':
    case 'reasoning_text':
      return { kind: 'text', text: textIn(part['text']) ?? '' }
    case 'refusal':
      return { kind: 'text', text: textIn(part['refusal']) ?? '' }
    case 'input_image':
      return {
        kind: 'media',
        form: 'image',
        source: sourceOf(part, 'image_url', where),
        name: null,
        ...detailIn(part['detail']),
      }
    case 'input_file': {
      const field = typeof part['file_data'] === 'string' ? 'file_data' : 'file_url'
      return { kind: 'media', form: 'document', source: sourceOf(part, field, where), name: textIn(part['filename']) }
    }
    default:
      throw wrong(`${where}.type`, 'must be input_text, input_image, input_file, output_text or refusal')
  }
}

/** `auto` is what is done anyway. */
const detailIn = (detail: unknown): { readonly detail?: string } =>
  typeof detail === 'string' && detail !== 'auto' ? { detail } : {}

/** The id of a file, an address, or what a `data:` URL holds. */
function sourceOf(part: JsonRecord, field: string, where: string): MediaSource {
  const id = textIn(part['file_id'])
  const data = textIn(part[field]) ?? ''
  if (id !== null) return { kind: 'file', id }
  if (data === '') throw wrong(where, 'names no data')
  const found = inDataUrl(data)
  if (found !== null) return found
  if (data.startsWith('data:')) throw wrong(where, NEEDS_DATA_URL)
  // SDKs take the bytes of a file without the URL, too
  return field === 'file_data'
    ? { kind: 'base64', mediaType: 'application/pdf', base64: data }
    : { kind: 'url', url: data }
}

function wrong(where: string, what: string): GateError {
  return new GateError('BAD_REQUEST', `${where}: ${what}`, { param: where })
}
