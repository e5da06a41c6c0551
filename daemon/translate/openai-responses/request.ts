import { GateError } from '../../../schemas/words/errors.ts'
import { providerRow } from '../../../schemas/words/providers.ts'
import { OPENING_BRACKET } from '../../../syntax/json/brackets.ts'
import { outlineOf } from '../../../syntax/json/outline.ts'
import type { Call, ModelRequest, UpstreamBody, UpstreamSide } from '../call.ts'
import { edited, memberEdits, modelEdits } from '../json-splice.ts'
import { decidingKeys, readModelRequest } from '../model-request.ts'
import { ENDPOINTS } from './endpoint.ts'
import { foreignThoughtsEdits } from './foreign-thoughts.ts'

const LIMITS = ['max_output_tokens']
const DECIDING = decidingKeys('input', 'instructions', 'store', 'background', 'previous_response_id')

/** Headers of Codex and of OpenAI's SDKs that are passed to upstreams of this dialect. */
export const REQUEST_HEADERS = ['openai-beta', 'originator', 'session-id', 'session_id', 'thread-id']

const QUOTE = 0x22

/** @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD */
export function readRequest({ endpoint, body, outline = outlineOf(body) }: Call): ModelRequest {
  const { asked, members } = readModelRequest(body, outline, DECIDING, LIMITS)
  const input = members.get('input')
  if (input !== undefined && body[input.start] !== QUOTE && body[input.start] !== OPENING_BRACKET) {
    throw new GateError('BAD_REQUEST', '"input" must be a string or an array', { param: 'input' })
  }
  return endpoint.does === 'count-tokens' ? { ...asked, stream: false } : asked
}

/** Every byte stays but the model's name, what another provider thought, and what is asked to be kept where nothing is. */
export function bodyFor({ body, outline }: Call, asked: ModelRequest, { model, provider }: UpstreamSide): UpstreamBody {
  const edits = model === asked.model ? [] : modelEdits(body, model, outline)
  const foreign = foreignThoughtsEdits(body, provider, outline)
  edits.push(...foreign)
  // Gate keeps it itself
  if (providerRow(provider).isStateless === true)
    edits.push(...memberEdits(body, outline ?? outlineOf(body), 'store', () => false))
  return {
    body: edits.length === 0 ? body : edited(body, edits),
    hidesUsage: false,
    ...(foreign.length > 0 && { dropped: ['input'] }),
  }
}

/** The path of the client, unless it speaks another dialect. */
export function upstreamPath({ endpoint }: Call): string {
  if (ENDPOINTS.includes(endpoint)) return endpoint.path.slice('/v1'.length)
  return endpoint.does === 'count-tokens' ? '/responses/input_tokens' : '/responses'
}
