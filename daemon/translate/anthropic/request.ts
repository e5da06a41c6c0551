import { outlineOf } from '../../../syntax/json/outline.ts'
import type { Call, ModelRequest, UpstreamBody, UpstreamSide } from '../dialect.ts'
import { edited, modelEdits } from '../json-splice.ts'
import { decidingKeys, readModelRequest } from '../model-request.ts'

const DECIDING = decidingKeys()

/** @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD */
export function readRequest({ body, outline = outlineOf(body) }: Call): ModelRequest {
  const { model, stream } = readModelRequest(body, outline, DECIDING)
  return { model, stream }
}

/** Every byte stays, the prefix above all: models of today refuse thinking when anything before it has changed. */
export function bodyFor({ body, outline }: Call, asked: ModelRequest, { model }: UpstreamSide): UpstreamBody {
  return {
    body: model === asked.model ? body : edited(body, modelEdits(body, model, outline)),
    hidesUsage: false,
  }
}

/** SDKs mark beta features in the query, too; the rest of it, which may be a key, stays here. */
export function upstreamPath({ endpoint, url }: Call): string {
  const path = endpoint.does === 'count-tokens' ? '/messages/count_tokens' : '/messages'
  return /[?&]beta=true(?:&|$)/.test(url) ? `${path}?beta=true` : path
}
