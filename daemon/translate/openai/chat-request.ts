import { GateError } from '../../../schemas/errors.ts'

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

/**
 * The same body with another model id; every other byte stays as the client sent it.
 * @param body a JSON object that `parseChatRequest` accepted
 */
export function withModel(body: Buffer, model: string): Buffer {
  const spans = modelSpans(body)
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

/** Where the values of the top-level "model" keys stand (a body may repeat a key; all must change). */
function modelSpans(body: Buffer): { start: number; end: number }[] {
  const spans: { start: number; end: number }[] = []
  let depth = 0
  let isModel = false // the last key at depth 1 was "model"
  let expectKey = false
  for (let i = 0; i < body.length; i += 1) {
    const byte = body[i]
    if (byte === QUOTE) {
      const end = stringEnd(body, i)
      if (depth === 1 && expectKey) isModel = JSON.parse(body.toString('utf8', i, end)) === 'model'
      else if (depth === 1 && isModel) spans.push({ start: i, end })
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
  return spans
}

/** Index behind the closing quote of the string that opens at `start`. */
function stringEnd(body: Buffer, start: number): number {
  for (let i = start + 1; i < body.length; i += 1) {
    if (body[i] === BACKSLASH) i += 1
    else if (body[i] === QUOTE) return i + 1
  }
  return body.length
}
