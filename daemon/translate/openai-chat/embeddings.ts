import type { Call } from '../call.ts'
import { checkShape } from '../check-shape.ts'
import type { EmbedForm, Vector } from '../embed-form.ts'
import { textsIn, vectorIn } from '../embedding.ts'
import { numberIn, parsedRecord, recordIn, recordsIn } from '../json-value.ts'
import { NUMBER, record, TEXT, TEXTS, words } from '../shape.ts'

const REQUEST = record({
  model: TEXT,
  input: { ...TEXT, ...TEXTS },
  dimensions: NUMBER,
  encoding_format: words('float', 'base64'),
})

/** OpenAI's `/v1/embeddings`. */
export const embeddings: EmbedForm<Call> = {
  readRequest({ body }) {
    const asked = parsedRecord(body.toString('utf8')) ?? {}
    const ownFields = checkShape(asked, REQUEST)
    return {
      texts: textsIn(asked['input'], 'input'),
      dimensions: numberIn(asked['dimensions']),
      ownFields,
    }
  },
  writeRequest: ({ texts, dimensions }, model) => ({
    model,
    input: texts,
    encoding_format: 'float',
    ...(dimensions !== null && { dimensions }),
  }),
  readAnswer(answer) {
    const usage = recordIn(answer['usage'])
    const all = recordsIn(answer['data']).toSorted((a, b) => (numberIn(a['index']) ?? 0) - (numberIn(b['index']) ?? 0))
    return {
      vectors: all.map(({ embedding }) => vectorIn(embedding)),
      inputTokens: numberIn(usage['prompt_tokens'] ?? usage['total_tokens']),
    }
  },
  writeAnswer({ vectors, inputTokens }, { call, model }) {
    const asked = parsedRecord(call.body.toString('utf8'))
    const isPacked = asked?.['encoding_format'] === 'base64'
    return {
      object: 'list',
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: isPacked ? packed(vector) : vector,
      })),
      model,
      usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
    }
  },
}

/** As OpenAI packs them, and its SDKs ask for: numbers of 32 bits, the lowest byte first, in base64. */
function packed(vector: Vector): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, i * 4)
  return bytes.toString('base64')
}
