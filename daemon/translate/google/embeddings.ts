import { GateError } from '../../../schemas/words/errors.ts'
import type { Call } from '../call.ts'
import { checkShape } from '../check-shape.ts'
import type { EmbedForm } from '../embed-form.ts'
import { vectorIn } from '../embedding.ts'
import {
  isRecord,
  type JsonRecord,
  listIn,
  numberIn,
  parsedRecord,
  recordIn,
  recordsIn,
  textIn,
} from '../json-value.ts'
import { list, must, NUMBER, record, TEXT, UNNEEDED } from '../shape.ts'
import { camelIn, camelsIn, oneOrMore } from './camel.ts'

const BATCH = ':batchEmbedContents'
const PART = record({ text: must(TEXT) })
const ONE = record({
  model: UNNEEDED,
  content: must(record({ role: UNNEEDED, parts: must({ ...list(PART), ...PART }) })),
  outputDimensionality: NUMBER,
})
const SEVERAL = record({ requests: must(list(ONE)) })

const isBatch = ({ endpoint: { path } }: Call): boolean => path.endsWith(BATCH)

/** Google's `embedContent`, and several at once. Between dialects several are asked for, whatever their number. */
export const embeddings: EmbedForm<Call> = {
  readRequest(call) {
    const given = parsedRecord(call.body.toString('utf8')) ?? {}
    const ownFields = checkShape(given, isBatch(call) ? SEVERAL : ONE, camelIn)
    const body = camelIn(given)
    const asked = isBatch(call) ? camelsIn(body['requests']) : [body]
    if (asked.length === 0) throw new GateError('BAD_REQUEST', '"requests" must be a list', { param: 'requests' })
    const [dimensions = null, ...others] = new Set(asked.map((one) => numberIn(one['outputDimensionality'])))
    if (others.length > 0) {
      const message = 'requests: must all have the same outputDimensionality for the upstream of this model'
      throw new GateError('BAD_REQUEST', message, { param: 'requests' })
    }
    return {
      texts: asked.map(textOf),
      dimensions,
      ownFields,
    }
  },
  writeRequest: ({ texts, dimensions }, model) => ({
    requests: texts.map((text) => ({
      model: `models/${model}`,
      content: { parts: [{ text }] },
      ...(dimensions !== null && { outputDimensionality: dimensions }),
    })),
  }),
  readAnswer: (answer) => ({
    vectors: listIn(answer['embeddings']).map((one) => vectorIn(recordIn(one)['values'])),
    inputTokens: numberIn(recordIn(answer['usageMetadata'])['promptTokenCount']),
  }),
  writeAnswer({ vectors, inputTokens }, { call }) {
    const all = vectors.map((values) => ({ values }))
    return {
      ...(isBatch(call) ? { embeddings: all } : { embedding: all[0] }),
      usageMetadata: { promptTokenCount: inputTokens, totalTokenCount: inputTokens },
    }
  },
}

/** @throws GateError BAD_REQUEST for anything but text */
function textOf(request: JsonRecord): string {
  const parts = oneOrMore(recordIn(request['content'])['parts'])
  const texts = parts.map((part) => (isRecord(part) ? textIn(part['text']) : null))
  if (parts.length === 0 || texts.includes(null))
    throw new GateError('BAD_REQUEST', '"content" must be text for the upstream of this model', { param: 'content' })
  return texts.join('')
}

/** Below the model: what the client asks for, or several at once. */
export const embedMethod = ({ endpoint: { path } }: Call): string => /:embedContent$/.exec(path)?.[0] ?? BATCH

/** The model is named in each request, too. */
export function withEmbedModel(body: Buffer, model: string): Buffer {
  const asked = camelIn(JSON.parse(body.toString('utf8')))
  const named = (one: JsonRecord) => ('model' in one ? { ...one, model: `models/${model}` } : one)
  const { requests } = asked
  const renamed = Array.isArray(requests) ? { ...asked, requests: recordsIn(requests).map(named) } : named(asked)
  return Buffer.from(JSON.stringify(renamed))
}
