import { GateError } from '../../../schemas/words/errors.ts'
import { OPENING_BRACKET } from '../../../syntax/json/brackets.ts'
import { type JsonMember, outlineOf } from '../../../syntax/json/outline.ts'
import type { Call, ModelRequest, UpstreamBody, UpstreamSide } from '../call.ts'
import { edited, modelEdits } from '../json-splice.ts'
import { decidingKeys, modelIn, mostTokensWithin, readMembers, streamIn } from '../model-request.ts'
import { embedPath } from './embeddings.ts'
import { foreignThoughtsEdits } from './foreign-thoughts.ts'
import { asMessage, asResponse } from './write-answer.ts'

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
  const isChat = endpoint.path === '/api/chat'
  const [field, first, what] = isChat ? CHAT : PROMPT
  const said = textOf(body, members.get(field))
  if (EMPTY.test(said)) {
    return { model, stream: false, says: loaded(model, isChat, textOf(body, members.get('keep_alive'))) }
  }
  if (body[members.get(field)?.start ?? 0] !== first) {
    throw new GateError('BAD_REQUEST', `"${field}" must be ${what}`, { param: field })
  }
  const stream = streamIn(body, members.get('stream')) ?? true
  const mostTokens = mostTokensWithin(body, members.get('options'), 'num_predict')
  return mostTokens === null ? { model, stream } : { model, stream, mostTokens }
}

const CHAT = ['messages', OPENING_BRACKET, 'an array'] as const
const PROMPT = ['prompt', QUOTE, 'a text'] as const

/** By which clients have a model loaded, or unloaded: here models are started when they are asked something. */
const EMPTY = /^(?:|null|""|\[\s*\])$/
const UNLOADS = /^"?0+(?:\.0+)?(?:ns|us|ms|s|m|h)?"?$/

/** The beginning of a value as it is written; empty: there is none. */
function textOf(body: Buffer, member: JsonMember | undefined): string {
  return member === undefined ? '' : body.toString('latin1', member.start, Math.min(member.end, member.start + 16))
}

const loaded = (model: string, isChat: boolean, keepAlive: string) => (nowS: number) => ({
  model,
  created_at: new Date(nowS * 1_000).toISOString(),
  ...(isChat ? asMessage : asResponse)({}),
  done: true,
  done_reason: UNLOADS.test(keepAlive) ? 'unload' : 'load',
})

export function bodyFor({ body, outline }: Call, asked: ModelRequest, { model, provider }: UpstreamSide): UpstreamBody {
  const foreign = foreignThoughtsEdits(body, provider, outline)
  const edits = model === asked.model ? foreign : [...modelEdits(body, model, outline), ...foreign]
  return {
    body: edits.length === 0 ? body : edited(body, edits),
    hidesUsage: false,
    ...(foreign.length > 0 && { dropped: ['messages'] }),
  }
}

/** Below `/api`. */
export function upstreamPath(call: Call): string {
  if (call.endpoint.does === 'embed') return embedPath(call)
  return call.endpoint.path === '/api/generate' ? '/generate' : '/chat'
}
