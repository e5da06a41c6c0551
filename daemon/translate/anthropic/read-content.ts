import { GateError } from '../../../schemas/words/errors.ts'
import { isRecord, type JsonRecord, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { Feature, MediaPart, MediaSource, NeutralPart, ReasoningPart, TextPart } from '../neutral.ts'

/**
 * The content of a message: a text, or a list of blocks. @param features what has no field in the neutral form
 * @throws GateError BAD_REQUEST
 */
export function readContent(content: unknown, where: string, features: Set<Feature>): readonly NeutralPart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }]
  if (content === undefined || content === null) return []
  if (!Array.isArray(content)) throw wrong(where, 'must be a text or a list of blocks')
  return content.flatMap((block, index) => readBlock(recordIn(block), `${where}[${index}]`, features))
}

function readBlock(block: JsonRecord, where: string, features: Set<Feature>): readonly NeutralPart[] {
  if (isRecord(block['cache_control'])) features.add('cache marks')
  switch (block['type']) {
    case 'thinking': {
      const text = textIn(block['thinking']) ?? ''
      return [{ kind: 'reasoning', text, ...signatureIn(textIn(block['signature']) ?? '') }]
    }
    case 'redacted_thinking':
      return [{ kind: 'redacted', sealed: textIn(block['data']) ?? '' }]
    case 'tool_use': {
      const json = JSON.stringify(block['input'] ?? {})
      return [{ kind: 'call', id: textIn(block['id']) ?? '', name: textIn(block['name']) ?? '', json }]
    }
    case 'tool_result': {
      const parts = readContent(block['content'], `${where}.content`, features).filter(isShown)
      return [{ kind: 'result', id: textIn(block['tool_use_id']) ?? '', parts, isError: block['is_error'] === true }]
    }
    default:
      return readShown(block, where, features)
  }
}

/** One that another provider has made names it. */
function signatureIn(signature: string): Pick<ReasoningPart, 'signature' | 'signedBy'> {
  const [signedBy = '', foreign] = signature.split(':', 2)
  return foreign === undefined ? { signature: signature || null } : { signature: foreign, signedBy }
}

type Shown = TextPart | MediaPart
const isShown = (part: NeutralPart): part is Shown => part.kind === 'text' || part.kind === 'media'

function readShown(block: JsonRecord, where: string, features: Set<Feature>): readonly Shown[] {
  switch (block['type']) {
    case 'text':
      if (recordsIn(block['citations']).length > 0) features.add('citations')
      return [{ kind: 'text', text: textIn(block['text']) ?? '' }]
    case 'image':
      return [{ kind: 'media', form: 'image', source: sourceOf(recordIn(block['source']), where), name: null }]
    case 'document':
      if (recordIn(block['citations'])['enabled'] === true) features.add('citations')
      return readDocument(block, where, features)
    case 'search_result': {
      features.add('search result')
      if (recordIn(block['citations'])['enabled'] === true) features.add('citations')
      const texts = recordsIn(block['content']).map(({ text }) => textIn(text) ?? '')
      return [{ kind: 'text', text: [block['title'], block['source'], ...texts].join('\n') }]
    }
    default:
      features.add('server tools') // calls of tools that the provider of the client runs, and their outcome
      return []
  }
}

/** A document that is text becomes text, under its title. */
function readDocument(
  { source: given, title, context }: JsonRecord,
  where: string,
  features: Set<Feature>,
): readonly Shown[] {
  const source = recordIn(given)
  const name = textIn(title)
  const about = textIn(context)
  if (source['type'] === 'text') {
    const texts = [name, about, textIn(source['data'])].filter((text) => text !== null)
    return [{ kind: 'text', text: texts.join('\n\n') }]
  }
  const head: Shown[] = about === null ? [] : [{ kind: 'text', text: about }]
  if (source['type'] === 'content') {
    return [...head, ...readContent(source['content'], `${where}.source.content`, features).filter(isShown)]
  }
  return [...head, { kind: 'media', form: 'document', source: sourceOf(source, where), name }]
}

function sourceOf({ type, media_type: mediaType, data, url, file_id: id }: JsonRecord, where: string): MediaSource {
  if (type === 'base64') return { kind: 'base64', mediaType: textIn(mediaType) ?? '', base64: textIn(data) ?? '' }
  if (type === 'url') return { kind: 'url', url: textIn(url) ?? '' }
  if (type === 'file') return { kind: 'file', id: textIn(id) ?? '' }
  throw wrong(`${where}.source.type`, 'must be base64, url or file')
}

function wrong(where: string, what: string): GateError {
  return new GateError('BAD_REQUEST', `${where}: ${what}`, { param: where })
}
