import { GateError } from '../../../schemas/words/errors.ts'
import { append } from '../append.ts'
import { thoughtsFirst, thoughtsIn } from '../call-signature.ts'
import { isRecord, type JsonRecord, recordIn, textIn } from '../json-value.ts'
import type { Feature, MediaPart, MediaSource, NeutralMessage, NeutralPart, ResultPart, TextPart } from '../neutral.ts'
import { camelIn, camelsIn } from './camel.ts'

/** A call that has no result yet. */
type Open = { readonly id: string; readonly name: string }

/**
 * The turns of a request. The SDK keeps each part of a stream as a turn of its own: those of the model in a row are one.
 * @throws GateError BAD_REQUEST
 */
export function readContents(contents: readonly unknown[], features: Set<Feature>): readonly NeutralMessage[] {
  const pairs = new Pairs()
  const turns: { role: 'user' | 'assistant'; parts: (NeutralPart | Shown)[] }[] = []
  for (const [index, content] of contents.entries()) {
    const where = `contents[${index}]`
    if (!isRecord(content)) throw wrong(where, 'must be an object')
    const role = content['role'] ?? 'user'
    if (role !== 'user' && role !== 'model' && role !== 'function')
      throw wrong(`${where}.role`, 'must be user or model')
    const parts = partsIn(content, where, features, pairs)
    const last = turns.at(-1)
    if (role !== 'model') turns.push({ role: 'user', parts: [...parts] })
    else if (last?.role !== 'assistant') turns.push({ role: 'assistant', parts: [...parts] })
    else append(last.parts, parts)
  }
  return turns.map(({ role, parts }) => ({ role, parts: wholeThoughts(parts) }))
}

/** A thought as it was shown to the client. */
type Shown = { readonly kind: 'shown'; readonly text: string }

/** It is not needed where the thoughts come back whole. */
function wholeThoughts(parts: readonly (NeutralPart | Shown)[]): readonly NeutralPart[] {
  const isWhole = parts.some(({ kind }) => kind === 'redacted' || kind === 'reasoning')
  const read = parts.flatMap((part): readonly NeutralPart[] => {
    if (part.kind !== 'shown') return [part]
    return isWhole ? [] : [{ kind: 'reasoning', text: part.text, signature: null }]
  })
  return thoughtsFirst(read)
}

/** Gives results the id of their call: a client may name the function alone, and calls that had none get one. */
class Pairs {
  #count = 0
  readonly #open: Open[] = []

  call(id: string | null, name: string): string {
    const open = { id: id || `call_${this.#count}`, name }
    this.#count += 1
    this.#open.push(open)
    return open.id
  }

  result(id: string | null, name: string): string {
    const byId = this.#open.findIndex((open) => open.id === id)
    const at = byId !== -1 ? byId : this.#open.findIndex((open) => open.name === name)
    const [found] = at === -1 ? [] : this.#open.splice(at, 1)
    return found?.id ?? (id || name)
  }
}

/** The parts of something that is no turn of the model. @throws GateError BAD_REQUEST */
export function readParts(content: unknown, where: string, features: Set<Feature>): readonly NeutralPart[] {
  return wholeThoughts(partsIn(content, where, features, new Pairs()))
}

function partsIn(
  content: unknown,
  where: string,
  features: Set<Feature>,
  pairs: Pairs,
): readonly (NeutralPart | Shown)[] {
  const { parts, text } = recordIn(content)
  const all = typeof text === 'string' ? [{ text }] : camelsIn(parts)
  return all.flatMap((part, index) => readPart(part, `${where}.parts[${index}]`, features, pairs))
}

function readPart(
  part: JsonRecord,
  where: string,
  features: Set<Feature>,
  pairs: Pairs,
): readonly (NeutralPart | Shown)[] {
  const { text, thought } = part
  if (typeof text === 'string') {
    return thought === true ? [{ kind: 'shown', text }] : text === '' ? [] : [{ kind: 'text', text }]
  }
  if (isRecord(part['functionCall'])) {
    const { id, name, args } = camelIn(part['functionCall'])
    const called = textIn(name) ?? ''
    const call = { id: pairs.call(textIn(id), called), name: called, json: JSON.stringify(args ?? {}) }
    return [...thoughtsIn(textIn(part['thoughtSignature'])), { kind: 'call', ...call }]
  }
  if (isRecord(part['functionResponse'])) return [readResult(camelIn(part['functionResponse']), where, features, pairs)]
  if (isRecord(part['inlineData']) || isRecord(part['fileData'])) return [mediaOf(part, where, features)]
  features.add('server tools')
  return codeIn(part)
}

/** What code Google ran, and what came of it, stays readable. */
function codeIn({ executableCode, codeExecutionResult }: JsonRecord): readonly TextPart[] {
  const text = textIn(recordIn(executableCode)['code']) ?? textIn(recordIn(codeExecutionResult)['output'])
  return text === null ? [] : [{ kind: 'text', text: `\`\`\`\n${text}\n\`\`\`` }]
}

/** `output` or `error` alone is what the function said; anything else is the whole of it. */
function readResult(
  { id, name, response, parts }: JsonRecord,
  where: string,
  features: Set<Feature>,
  pairs: Pairs,
): ResultPart {
  const said = recordIn(response)
  const [key, another] = Object.keys(said)
  const isWhole = another !== undefined || (key !== 'output' && key !== 'error' && key !== 'result')
  const value = isWhole || key === undefined ? said : said[key]
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const media = camelsIn(parts).map((part, index) =>
    mediaOf(part, `${where}.functionResponse.parts[${index}]`, features),
  )
  return {
    kind: 'result',
    id: pairs.result(textIn(id), textIn(name) ?? ''),
    parts: [{ kind: 'text', text }, ...media],
    isError: !isWhole && key === 'error',
  }
}

function mediaOf({ inlineData, fileData }: JsonRecord, where: string, features: Set<Feature>): MediaPart {
  const blob = camelIn(isRecord(inlineData) ? inlineData : fileData)
  const mediaType = textIn(blob['mimeType']) ?? ''
  if (mediaType.startsWith('video/')) features.add('video')
  const form = mediaType.startsWith('image/') ? 'image' : mediaType.startsWith('audio/') ? 'audio' : 'document'
  return { kind: 'media', form, source: sourceOf(blob, mediaType, where), name: textIn(blob['displayName']) }
}

/** Base64 may be that of URLs. */
function sourceOf({ data, fileUri }: JsonRecord, mediaType: string, where: string): MediaSource {
  if (typeof data === 'string') {
    return { kind: 'base64', mediaType, base64: data.replaceAll('-', '+').replaceAll('_', '/') }
  }
  if (typeof fileUri !== 'string' || fileUri === '') throw wrong(where, 'names no data')
  const isKept = !/^https?:/.test(fileUri) || GOOGLES_OWN.test(fileUri)
  return isKept ? { kind: 'file', id: fileUri } : { kind: 'url', url: fileUri }
}

/** Files that clients have sent to Google before. */
const GOOGLES_OWN = /^https:\/\/generativelanguage\.googleapis\.com\//

function wrong(where: string, what: string): GateError {
  return new GateError('BAD_REQUEST', `${where}: ${what}`, { param: where })
}
