import { GateError } from '../../../schemas/words/errors.ts'
import { type JsonOutline, outlineOf } from '../../../syntax/json/outline.ts'
import type { Call, ModelRequest, UpstreamBody, UpstreamSide } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import { tokensIn } from '../estimate.ts'
import { formFields } from '../form-data.ts'
import { edited, remade, withModel } from '../json-splice.ts'
import { parsedRecord } from '../json-value.ts'
import { checkModel } from '../model-name.ts'
import { checkNames, decidingKeys, readModelRequest } from '../model-request.ts'
import { openAiChat } from './dialect.ts'
import { COMPLETION_ENDPOINTS, MEDIA_ENDPOINTS } from './endpoint.ts'
import { failureIn } from './error.ts'
import { MediaStreamWatch } from './media-stream.ts'
import { mediaUsage } from './media-usage.ts'
import { OBJECT_ENDPOINTS, objects } from './objects.ts'

// Routes of OpenAI's API whose requests and answers only pass: to upstreams that have them, with the model changed.

const { neutral: _, ...passed } = openAiChat
const LIMITS = ['max_tokens']
const DECIDING = decidingKeys()

/** Completions from before chats: their streams are like those of chats. */
export const openAiCompletions = {
  ...passed,
  endpoints: COMPLETION_ENDPOINTS,
  readRequest,
  bodyFor,
  upstreamPath,
  estimateInput: ({ body, outline = outlineOf(body) }) => tokensIn(body, outline, 'prompt'),
} satisfies Dialect

/** Embeddings, ranks, moderation, images and audio. */
export const openAiMedia = {
  ...openAiCompletions,
  endpoints: MEDIA_ENDPOINTS,
  watch: () => new MediaStreamWatch(),
  usageOf: (answer) => mediaUsage(parsedRecord(answer.toString('utf8'))),
  estimateInput,
  estimateOutput: () => 0, // pictures, sound and vectors are not counted in tokens
  failureOf(answer) {
    const error = parsedRecord(answer.subarray(0, LONGEST_ERROR_BYTES).toString('utf8'))
    return error === null ? null : failureIn(error)
  },
} satisfies Dialect

/** Files and batches. */
export const openAiObjects = { ...openAiMedia, endpoints: OBJECT_ENDPOINTS, objects } satisfies Dialect

const LONGEST_ERROR_BYTES = 64 * 2 ** 10

/** @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD */
function readRequest({ endpoint, headers, body, outline = outlineOf(body) }: Call): ModelRequest {
  if (endpoint.takes !== 'form') {
    const { asked } = readModelRequest(body, outline, DECIDING, LIMITS, endpoint.usualModel)
    const { cacheKey: _, ...read } = asked
    return read
  }
  const fields = formFields(body, String(headers['content-type']))
  checkNames(fields.keys())
  const textOf = (name: string): string | null => {
    const field = fields.get(name)
    return field === undefined || field.end - field.start > LONGEST_VALUE_BYTES
      ? null
      : body.toString('utf8', field.start, field.end)
  }
  const model = textOf('model')
  if (!model) throw new GateError('BAD_REQUEST', 'the form has no field "model"', { param: 'model' })
  return { model: checkModel(model), stream: textOf('stream') === 'true' }
}

const LONGEST_VALUE_BYTES = 4_096

function bodyFor(
  { endpoint, headers, body, outline }: Call,
  asked: ModelRequest,
  { model }: UpstreamSide,
): UpstreamBody {
  if (model === asked.model) return { body, hidesUsage: false }
  if (endpoint.takes !== 'form') return { body: namingModel(body, model, outline), hidesUsage: false }
  const field = formFields(body, String(headers['content-type'])).get('model')
  return { body: field === undefined ? body : edited(body, [{ ...field, text: model }]), hidesUsage: false }
}

/** Also where none was named. */
function namingModel(body: Buffer, model: string, outline: JsonOutline = outlineOf(body)): Buffer {
  const isNamed = outline.kind === 'object' && outline.members.some(({ key }) => key === 'model')
  return isNamed ? withModel(body, model, outline) : remade(body, outline, (key) => key, { model })
}

/** Below a base URL that ends with the version. */
function upstreamPath({ endpoint: { path } }: Call): string {
  return path.slice(path.indexOf('/', 1))
}

/** What the model reads of it: a file is not counted. */
function estimateInput({ endpoint, body, outline = outlineOf(body) }: Call): number {
  if (endpoint.takes === 'form') return 0
  return ['input', 'prompt', 'query', 'documents'].reduce((sum, key) => sum + tokensIn(body, outline, key), 0)
}
