import { outlineOf } from '../../../syntax/json/outline.ts'
import type { Call, ModelRequest, UpstreamBody, UpstreamSide } from '../call.ts'
import { edited, modelEdits } from '../json-splice.ts'
import { checkMessages, decidingKeys, readModelRequest } from '../model-request.ts'
import { attributionEdit } from './attribution.ts'
import { foreignThoughtsEdits } from './foreign-thoughts.ts'

const LIMITS = ['max_tokens']
const DECIDING = decidingKeys()

/** @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD */
export function readRequest({ endpoint, body, outline = outlineOf(body) }: Call): ModelRequest {
  const { asked, members } = readModelRequest(body, outline, DECIDING, LIMITS)
  checkMessages(body, members)
  // a count is one number, whatever else was meant for the message
  return endpoint.does === 'count-tokens' ? { ...asked, stream: false } : asked
}

/**
 * Every byte stays, the prefix above all: models of today refuse thinking when anything before it has changed. Only the
 * line that is for Anthropic alone goes nowhere else, and what another provider thought does not go to it.
 */
export function bodyFor(
  { body, outline = outlineOf(body) }: Call,
  asked: ModelRequest,
  { model, provider }: UpstreamSide,
): UpstreamBody {
  const edits = model === asked.model ? [] : modelEdits(body, model, outline)
  const attribution = attributionEdit(body, provider, outline)
  if (attribution !== null) edits.push(attribution)
  const foreign = foreignThoughtsEdits(body, provider, outline)
  edits.push(...foreign)
  return {
    body: edits.length === 0 ? body : edited(body, edits),
    hidesUsage: false,
    ...(foreign.length > 0 && { dropped: ['messages'] }),
  }
}

/** SDKs mark beta features in the query, too; the rest of it, which may be a key, stays here. */
export function upstreamPath({ endpoint, url }: Call): string {
  const path = endpoint.does === 'count-tokens' ? '/messages/count_tokens' : '/messages'
  return /[?&]beta=true(?:&|$)/.test(url) ? `${path}?beta=true` : path
}
