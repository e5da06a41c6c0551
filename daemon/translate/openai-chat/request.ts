import { GateError } from '../../../schemas/words/errors.ts'
import type { Call, ModelRequest } from '../dialect.ts'
import { decisiveKeys, withText } from '../json-splice.ts'

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

const DECISIVE = decisiveKeys(['model', 'stream'])

/** Headers that upstreams of this dialect are told. Some compatible ones take those of other vendors, too. */
export const REQUEST_HEADERS = ['anthropic-beta', 'anthropic-version', 'openai-beta']

export const readRequest = (call: Call): ModelRequest => parseChatRequest(call.body)

export const bodyWithModel = (call: Call, model: string): Buffer => withModel(call.body, model)

/**
 * Reads the body of POST /v1/chat/completions.
 * @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD
 */
export function parseChatRequest(body: Buffer): ModelRequest {
  const text = body.toString('utf8')
  const request = parseObject(text)
  const { model, messages, stream } = request
  const repeated = DECISIVE.repeatedIn(text)
  if (repeated !== undefined) {
    // parsers disagree on which one counts: the upstream could run another model than the one that was asked for and metered
    throw new GateError('BAD_REQUEST', `"${repeated}" appears twice in the body`, { param: repeated })
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
    if (request[field] !== undefined) {
      const message = `"${field}" is not taken from clients; upstreams are set in the configuration`
      throw new GateError('FORBIDDEN_FIELD', message, { param: field })
    }
  }
  return { model, stream: stream === true }
}

/** The same body with another model id; every other byte stays as the client sent it. @param body one that was read */
export function withModel(body: Buffer, model: string): Buffer {
  return withText(body, 'model', model)
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new GateError('INVALID_JSON', 'the body is not valid JSON', { cause: error })
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new GateError('INVALID_JSON', 'the body must be a JSON object')
  }
  return value as Readonly<Record<string, unknown>>
}
