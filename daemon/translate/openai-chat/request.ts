import { type JsonMember, type JsonOutline, outlineOf } from '../../../syntax/json/outline.ts'
import type { Call, ModelRequest, UpstreamBody, UpstreamSide } from '../call.ts'
import { edited, modelEdits } from '../json-splice.ts'
import { checkMessages, decidingKeys, readModelRequest } from '../model-request.ts'
import { fitted } from './fitted.ts'
import { foreignThoughtsEdits } from './foreign-thoughts.ts'
import { usageRequest } from './usage-frame.ts'

/** Of OpenAI's `n`. */
const MOST_CHOICES = 128

const LIMITS = ['max_completion_tokens', 'max_tokens']
const DECIDING = decidingKeys('stream_options')

/** Headers that are passed to upstreams of this dialect. Some compatible ones take those of other vendors, too. */
export const REQUEST_HEADERS = ['anthropic-beta', 'anthropic-version', 'openai-beta']

export const readRequest = (call: Call): ModelRequest => parseChatRequest(call.body, call.outline)

export function bodyFor(call: Call, asked: ModelRequest, { model, provider }: UpstreamSide): UpstreamBody {
  const { body, dropped } = fitted(call.body, provider, call.outline)
  const outline = body === call.body ? call.outline : outlineOf(body)
  const usage = asked.stream ? usageRequest(body, provider, outline) : null
  const edits = model === asked.model ? [] : modelEdits(body, model, outline)
  if (usage !== null) edits.push(usage)
  const foreign = foreignThoughtsEdits(body, provider, outline)
  edits.push(...foreign)
  return {
    body: edits.length === 0 ? body : edited(body, edits),
    hidesUsage: usage !== null,
    dropped: foreign.length === 0 ? dropped : [...dropped, 'messages'],
  }
}

/**
 * Reads the body of POST /v1/chat/completions.
 * @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD
 */
export function parseChatRequest(body: Buffer, outline: JsonOutline = outlineOf(body)): ModelRequest {
  const { asked, members } = readModelRequest(body, outline, DECIDING, LIMITS)
  checkMessages(body, members)
  const choices = choicesIn(body, members.get('n'))
  return choices > 1 ? { ...asked, choices } : asked
}

/** How many choices are asked for; what is no such number is the upstream's to refuse. */
function choicesIn(body: Buffer, member: JsonMember | undefined): number {
  if (member === undefined || member.end - member.start > 3) return 1
  const count = Number(body.toString('latin1', member.start, member.end))
  return Number.isInteger(count) && count <= MOST_CHOICES ? count : 1
}
