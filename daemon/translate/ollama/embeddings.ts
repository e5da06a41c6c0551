import type { Call } from '../call.ts'
import { checkShape } from '../check-shape.ts'
import type { EmbedForm } from '../embed-form.ts'
import { textsIn, vectorIn } from '../embedding.ts'
import { listIn, numberIn, parsedRecord } from '../json-value.ts'
import { NUMBER, record, TEXT, TEXTS, usual } from '../shape.ts'

const REQUEST = record({ model: TEXT, input: { ...TEXT, ...TEXTS }, dimensions: NUMBER, truncate: usual(true) })
const OLDER_REQUEST = record({ model: TEXT, prompt: TEXT, dimensions: NUMBER })

/** The older route, which makes one vector. */
const OLDER = '/api/embeddings'
const isOlder = ({ endpoint: { path } }: Call): boolean => path === OLDER

/** Ollama's `/api/embed`, and the route before it. */
export const embeddings: EmbedForm<Call> = {
  readRequest(call) {
    const asked = parsedRecord(call.body.toString('utf8')) ?? {}
    const param = isOlder(call) ? 'prompt' : 'input'
    const ownFields = checkShape(asked, isOlder(call) ? OLDER_REQUEST : REQUEST)
    return {
      texts: textsIn(asked[param], param),
      dimensions: numberIn(asked['dimensions']),
      ownFields,
    }
  },
  writeRequest: ({ texts, dimensions }, model) => ({
    model,
    input: texts,
    ...(dimensions !== null && { dimensions }),
  }),
  readAnswer: (answer) => ({
    vectors: listIn(answer['embeddings']).map(vectorIn),
    inputTokens: numberIn(answer['prompt_eval_count']),
  }),
  writeAnswer({ vectors, inputTokens }, { call, model, elapsedNs }) {
    if (isOlder(call)) return { embedding: vectors[0] }
    return {
      model,
      embeddings: vectors,
      total_duration: elapsedNs(),
      load_duration: 0,
      prompt_eval_count: inputTokens,
    }
  },
}

/** Below `/api`. */
export const embedPath = (call: Call): string => (isOlder(call) ? '/embeddings' : '/embed')
