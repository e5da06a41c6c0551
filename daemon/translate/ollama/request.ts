import { GateError } from '../../../schemas/words/errors.ts'
import { OPENING_BRACKET } from '../../../syntax/json/brackets.ts'
import { outlineOf } from '../../../syntax/json/outline.ts'
import type { Call, ModelRequest, UpstreamBody, UpstreamSide } from '../call.ts'
import { edited, modelEdits } from '../json-splice.ts'
import { decidingKeys, modelIn, readMembers, streamIn } from '../model-request.ts'
import { embedPath } from './embeddings.ts'

const DECIDING = decidingKeys('prompt')
const QUOTE = 0x22

/**
 * An answer is a stream unless the client says otherwise.
 * @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD
 */
export function readRequest({ endpoint, body, outline = outlineOf(body) }: Call): ModelRequest {
  const members = readMembers(outline, DECIDING)
  const model = modelIn(
    body,
    members.get('model') ?? (endpoint.does === 'show-model' ? members.get('name') : undefined),
  )
  if (endpoint.does !== 'generate') return { model, stream: false }
  const [field, first, what] = endpoint.path === '/api/chat' ? CHAT : PROMPT
  const said = members.get(field)
  if (said === undefined || body[said.start] !== first) {
    throw new GateError('BAD_REQUEST', `"${field}" must be ${what}`, { param: field })
  }
  return { model, stream: streamIn(body, members.get('stream')) ?? true }
}

const CHAT = ['messages', OPENING_BRACKET, 'an array'] as const
const PROMPT = ['prompt', QUOTE, 'a text'] as const

export function bodyFor({ body, outline }: Call, asked: ModelRequest, { model }: UpstreamSide): UpstreamBody {
  return { body: model === asked.model ? body : edited(body, modelEdits(body, model, outline)), hidesUsage: false }
}

/** Below `/api`. */
export function upstreamPath(call: Call): string {
  if (call.endpoint.does === 'embed') return embedPath(call)
  return call.endpoint.path === '/api/generate' ? '/generate' : '/chat'
}
