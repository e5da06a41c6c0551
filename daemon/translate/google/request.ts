import { GateError } from '../../../schemas/words/errors.ts'
import { OPENING_BRACE, OPENING_BRACKET } from '../../../syntax/json/brackets.ts'
import { outlineOf } from '../../../syntax/json/outline.ts'
import type { Call, ModelRequest, UpstreamBody, UpstreamSide } from '../call.ts'
import { edited } from '../json-splice.ts'
import { isRecord } from '../json-value.ts'
import { checkModel } from '../model-name.ts'
import { decidingKeys, mostTokensWithin, readMembers } from '../model-request.ts'
import { camelIn } from './camel.ts'
import { embedMethod, withEmbedModel } from './embeddings.ts'
import { isStream } from './endpoint.ts'
import { foreignThoughtsEdits } from './foreign-thoughts.ts'

const DECIDING = decidingKeys('contents')
const LIMIT = 'maxOutputTokens'
/** A list of one may be left out. */
const OPENING = new Set<number | undefined>([OPENING_BRACKET, OPENING_BRACE])

/**
 * The model is in the path; also written as `models/ID`, by clients that put the whole name there.
 * @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD
 */
export function readRequest({ endpoint, param, body, outline = outlineOf(body) }: Call): ModelRequest {
  const members = readMembers(outline, DECIDING)
  const model = checkModel(param.replace(/^models\//, ''))
  if (endpoint.does === 'embed') return { model, stream: false }
  const contents = members.get('contents')
  const isWrapped = endpoint.does === 'count-tokens' && contents === undefined
  if (!isWrapped && (contents === undefined || !OPENING.has(body[contents.start]))) {
    throw new GateError('BAD_REQUEST', '"contents" must be an array, or an object', { param: 'contents' })
  }
  const mostTokens = mostTokensWithin(body, members.get('generationconfig') ?? members.get('generation_config'), LIMIT)
  const stream = isStream(endpoint)
  return mostTokens === null ? { model, stream } : { model, stream, mostTokens }
}

/** The model is no part of the body, but of one whose tokens are counted, or that asks for vectors. */
export function bodyFor(
  { endpoint, body, outline = outlineOf(body) }: Call,
  asked: ModelRequest,
  side: UpstreamSide,
): UpstreamBody {
  const edits = foreignThoughtsEdits(body, side, outline)
  const own = edits.length === 0 ? body : edited(body, edits)
  const isKept = endpoint.does === 'generate' || side.model === asked.model
  const withModel = endpoint.does === 'embed' ? withEmbedModel : withWrappedModel
  return {
    body: isKept ? own : withModel(own, side.model),
    hidesUsage: false,
    ...(edits.length > 0 && { dropped: ['contents'] }),
  }
}

function withWrappedModel(body: Buffer, model: string): Buffer {
  const request = camelIn(JSON.parse(body.toString('utf8')))
  const wrapped = request['generateContentRequest']
  if (!isRecord(wrapped)) return body
  const generateContentRequest = { ...wrapped, model: `models/${model}` }
  return Buffer.from(JSON.stringify({ ...request, generateContentRequest }))
}

/** Streams are asked for as events, unless the client reads a list. */
export function upstreamPath(call: Call, model: string, stream: boolean): string {
  const { endpoint, url } = call
  const at = `/models/${encodeURIComponent(model).replaceAll('%2F', '/')}`
  if (endpoint.does === 'count-tokens') return `${at}:countTokens`
  if (endpoint.does === 'embed') return at + embedMethod(call)
  if (!stream) return `${at}:generateContent`
  const isList = isStream(endpoint) && !asksForEvents(url)
  return `${at}:streamGenerateContent${isList ? '' : '?alt=sse'}`
}

const asksForEvents = (url: string): boolean => /[?&]alt=sse(?:&|$)/.test(url)
