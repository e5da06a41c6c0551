import { GateError } from '../../../schemas/words/errors.ts'

/** What the gateway needs to know of a chat completion request. The rest of the body passes through unread. */
export type ChatRequest = { readonly model: string; readonly stream: boolean }

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

/** The model's name is kept in usage rows, metrics and health of targets: it must not be as long as a client likes. */
const MAX_MODEL_CHARACTERS = 256

/**
 * Reads the body of POST /v1/chat/completions.
 * @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD
 */
export function parseChatRequest(body: Buffer): ChatRequest {
  const request = parseObject(body)
  const { model, messages, stream } = request
  const repeated = repeatedKey(body)
  if (repeated !== undefined) {
    // parsers disagree on which one counts: the upstream could run another model than the one that was asked for and metered
    throw new GateError('BAD_REQUEST', `"${repeated}" stands twice in the body`, { param: repeated })
  }
  if (typeof model !== 'string' || model === '') {
    throw new GateError('BAD_REQUEST', 'say which model: "model" must be a non-empty string', { param: 'model' })
  }
  if (model.length > MAX_MODEL_CHARACTERS) {
    throw new GateError('BAD_REQUEST', `"model" is longer than ${MAX_MODEL_CHARACTERS} characters`, { param: 'model' })
  }
  if (!Array.isArray(messages)) {
    throw new GateError('BAD_REQUEST', '"messages" must be an array', { param: 'messages' })
  }
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    throw new GateError('BAD_REQUEST', '"stream" must be true or false', { param: 'stream' })
  }
  for (const field of FORBIDDEN) {
    if (field in request) {
      const message = `"${field}" is not taken from clients; upstreams are set in the configuration`
      throw new GateError('FORBIDDEN_FIELD', message, { param: field })
    }
  }
  return { model, stream: stream === true }
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new GateError('INVALID_JSON', 'the body is not JSON', { cause: error })
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new GateError('INVALID_JSON', 'the body must be a JSON object')
  }
  return value as Readonly<Record<string, unknown>>
}

/** The keys whose values decide something here, before the upstream reads them for itself. */
const DECISIVE = ['model', 'stream'] as const
const QUOTED = DECISIVE.map((key) => Buffer.from(`"${key}"`))
/** What an escaped letter of theirs begins with; no encoder writes plain letters so, and a client that does is looked at closely. */
const ESCAPED = [Buffer.from('\\u006'), Buffer.from('\\u007')]

/** The first decisive key that stands twice in the outermost object. Reads the body byte by byte only when that may be so. */
function repeatedKey(body: Buffer): (typeof DECISIVE)[number] | undefined {
  const mayRepeat = QUOTED.some((key) => body.indexOf(key) !== body.lastIndexOf(key))
  if (!mayRepeat && !ESCAPED.some((start) => body.includes(start))) return undefined
  const { keys } = scan(body)
  return DECISIVE.find((key) => keys.filter((name) => name === key).length > 1)
}

/**
 * The same body with another model id; every other byte stays as the client sent it.
 * @param body a JSON object that `parseChatRequest` accepted
 */
export function withModel(body: Buffer, model: string): Buffer {
  const { spans } = scan(body)
  const replacement = Buffer.from(JSON.stringify(model))
  const parts: Buffer[] = []
  let copied = 0
  for (const { start, end } of spans) {
    parts.push(body.subarray(copied, start), replacement)
    copied = end
  }
  parts.push(body.subarray(copied))
  return Buffer.concat(parts)
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c

/** The keys of the outermost object, and where the texts stand that are values of "model". */
function scan(body: Buffer): { keys: string[]; spans: { start: number; end: number }[] } {
  const spans: { start: number; end: number }[] = []
  const keys: string[] = []
  let depth = 0
  let isModel = false // the last key at depth 1 was "model"
  let expectKey = false
  for (let i = 0; i < body.length; i += 1) {
    const byte = body[i]
    if (byte === QUOTE) {
      const end = stringEnd(body, i)
      if (depth === 1 && expectKey) {
        const key: unknown = JSON.parse(body.toString('utf8', i, end))
        keys.push(String(key))
        isModel = key === 'model'
      } else if (depth === 1 && isModel) spans.push({ start: i, end })
      i = end - 1
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1
      expectKey = depth === 1
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1
    else if (depth === 1 && byte === COLON) expectKey = false
    else if (depth === 1 && byte === COMMA) {
      expectKey = true
      isModel = false
    }
  }
  return { keys, spans }
}

/** Index behind the closing quote of the string that opens at `start`. */
function stringEnd(body: Buffer, start: number): number {
  for (let i = start + 1; i < body.length; i += 1) {
    if (body[i] === BACKSLASH) i += 1
    else if (body[i] === QUOTE) return i + 1
  }
  return body.length
}
