import { GateError } from '../../../schemas/words/errors.ts'
import { type JsonMember, type JsonOutline, outlineOf } from '../../../syntax/json/outline.ts'
import type { Call, ModelRequest, UpstreamBody, UpstreamSide } from '../dialect.ts'
import { type Edit, usageRequest } from './usage-frame.ts'

/** Fields some gateways take from clients to choose where a request goes. Here that is the operator's to say. */
const FORBIDDEN = [
  'api_base',
  'api_key',
  'api_type',
  'api_version',
  'base_url',
  'custom_host',
  'custom_llm_provider',
  'extra_headers',
  'organization',
  'proxy_url',
] as const

/** The keys that decide something here, by their folded form, which is how they are spelled. */
const KNOWN = new Set<string>(['model', 'messages', 'stream', 'stream_options', ...FORBIDDEN])

/** The model's name is kept in usage rows, metrics and health of targets: it must not be as long as a client likes. */
const MAX_MODEL_CHARACTERS = 256
/** Each character of a name may be an escape of six bytes, or two of them. */
const MAX_MODEL_BYTES = 12 * MAX_MODEL_CHARACTERS + 2

/** Of OpenAI's `n`. */
const MOST_CHOICES = 128

const QUOTE = 0x22
const OPEN_LIST = 0x5b

/** Headers that are passed to upstreams of this dialect. Some compatible ones take those of other vendors, too. */
export const REQUEST_HEADERS = ['anthropic-beta', 'anthropic-version', 'openai-beta']

export const readRequest = (call: Call): ModelRequest => parseChatRequest(call.body, call.outline)

export function bodyFor({ body, outline }: Call, asked: ModelRequest, { model, provider }: UpstreamSide): UpstreamBody {
  const usage = asked.stream ? usageRequest(body, provider, outline) : null
  const edits = model === asked.model ? [] : modelEdits(body, model, outline)
  if (usage !== null) edits.push(usage)
  return { body: edits.length === 0 ? body : edited(body, edits), hidesUsage: usage !== null }
}

/**
 * Reads the body of POST /v1/chat/completions.
 * @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD
 */
export function parseChatRequest(body: Buffer, outline: JsonOutline = outlineOf(body)): ModelRequest {
  if (outline.kind === 'refused') throw new GateError('INVALID_JSON', outline.problem)
  const byName = membersByName(outline.members)
  const model = modelIn(body, byName.get('model'))
  const messages = byName.get('messages')
  if (messages === undefined || body[messages.start] !== OPEN_LIST) {
    throw new GateError('BAD_REQUEST', '"messages" must be an array', { param: 'messages' })
  }
  const stream = byName.get('stream')
  const isStream =
    stream === undefined ? 'false' : body.toString('latin1', stream.start, Math.min(stream.end, stream.start + 6))
  if (isStream !== 'true' && isStream !== 'false' && isStream !== 'null') {
    throw new GateError('BAD_REQUEST', '"stream" must be true or false', { param: 'stream' })
  }
  for (const field of FORBIDDEN) {
    if (byName.has(field)) {
      const message = `"${field}" is not accepted from clients; upstreams are set in the configuration`
      throw new GateError('FORBIDDEN_FIELD', message, { param: field })
    }
  }
  const choices = choicesIn(body, byName.get('n'))
  return { model, stream: isStream === 'true', ...(choices > 1 && { choices }) }
}

/** How many choices are asked for; what is no such number is the upstream's to refuse. */
function choicesIn(body: Buffer, member: JsonMember | undefined): number {
  if (member === undefined || member.end - member.start > 3) return 1
  const count = Number(body.toString('latin1', member.start, member.end))
  return Number.isInteger(count) && count <= MOST_CHOICES ? count : 1
}

/**
 * Parsers disagree on which of two equal keys counts, and on whether case matters: an upstream could run another model
 * than the one that was asked for and metered. So each key comes once, and those that decide something are spelled one
 * way.
 * @throws GateError BAD_REQUEST
 */
function membersByName(members: readonly JsonMember[]): ReadonlyMap<string, JsonMember> {
  const byName = new Map<string, JsonMember>()
  for (const member of members) {
    const name = folded(member.key)
    const other = byName.get(name)
    if (other !== undefined) {
      const message =
        other.key === member.key
          ? `"${shown(name)}" appears twice in the body`
          : `"${shown(other.key)}" and "${shown(member.key)}" are the same key to parsers that ignore case; send only one of them`
      throw new GateError('BAD_REQUEST', message, { param: shown(name) })
    }
    if (member.key !== name && KNOWN.has(name)) {
      throw new GateError('BAD_REQUEST', `write "${name}", not "${member.key}"`, { param: name })
    }
    byName.set(name, member)
  }
  return byName
}

/** As decoders that ignore case compare keys: also U+017F is an s, and U+212A a k. */
function folded(key: string): string {
  return key.toUpperCase().toLowerCase()
}

const shown = (key: string): string => key.slice(0, 64)

function modelIn(body: Buffer, member: JsonMember | undefined): string {
  const isText = member !== undefined && body[member.start] === QUOTE
  if (!isText || member.end - member.start === 2) {
    throw new GateError('BAD_REQUEST', '"model" must be a non-empty string', { param: 'model' })
  }
  const isLong = member.end - member.start > MAX_MODEL_BYTES
  const model = isLong ? '' : String(JSON.parse(body.toString('utf8', member.start, member.end)))
  if (isLong || model.length > MAX_MODEL_CHARACTERS) {
    throw new GateError('BAD_REQUEST', `"model" is longer than ${MAX_MODEL_CHARACTERS} characters`, { param: 'model' })
  }
  return model
}

/** The same body with another model id; every other byte stays as the client sent it. @param body one that was read */
export function withModel(body: Buffer, model: string, outline: JsonOutline = outlineOf(body)): Buffer {
  return edited(body, modelEdits(body, model, outline))
}

function modelEdits(body: Buffer, model: string, outline: JsonOutline = outlineOf(body)): Edit[] {
  const members = outline.kind === 'object' ? outline.members : []
  return members
    .filter(({ key, start }) => key === 'model' && body[start] === QUOTE)
    .map(({ start, end }) => ({ start, end, text: JSON.stringify(model) }))
}

function edited(body: Buffer, edits: readonly Edit[]): Buffer {
  const parts: Buffer[] = []
  let copied = 0
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(body.subarray(copied, start), Buffer.from(text))
    copied = end
  }
  parts.push(body.subarray(copied))
  return Buffer.concat(parts)
}
