import { GateError } from '../../schemas/words/errors.ts'
import { outlineOf } from '../../syntax/json/outline.ts'
import type { Call, UpstreamSide } from './call.ts'
import type { Dialect } from './dialect.ts'
import type { Vector } from './embed-form.ts'
import { tokensIn } from './estimate.ts'
import { parsedRecord } from './json-value.ts'
import type { Spoken } from './spoken.ts'
import type { AnswerFacts, Translation } from './translation.ts'

/**
 * Translates a request for vectors, which come back as one answer.
 * @throws GateError BAD_REQUEST when one of the dialects has none, or the client's is not followed
 */
export function translateEmbedding(
  client: Dialect,
  { dialect: spoken }: Spoken,
  call: Call,
  side: UpstreamSide,
  { elapsedNs }: AnswerFacts,
): Translation {
  const { embeddings: from } = client
  const { embeddings: to } = spoken
  if (from === undefined || to === undefined)
    throw new GateError('BAD_REQUEST', `an upstream of ${spoken.name} makes no embeddings`)
  const request = from.readRequest(call)
  const body = Buffer.from(JSON.stringify(to.writeRequest(request, side.model)))
  return {
    spoken,
    body,
    dropped: request.ownFields,
    isChecked: false,
    watch: () => {
      throw new RangeError('vectors are not streamed')
    },
    answer(whole) {
      const record = parsedRecord(whole.toString('utf8'))
      if (record === null) throw new Error('the upstream sent something other than JSON')
      const answer = to.readAnswer(record)
      const { length } = answer.vectors
      const inputTokens = answer.inputTokens ?? embedTokens(body)
      if (length !== request.texts.length)
        throw new Error(`the upstream sent ${length} vectors for ${request.texts.length} texts`)
      return Buffer.from(
        JSON.stringify(from.writeAnswer({ ...answer, inputTokens }, { call, model: side.model, elapsedNs })),
      )
    },
  }
}

/** The message of the error in an answer whose status says success: only vectors are an answer here. */
export function embedFailure({ failureOf }: Dialect, answer: Buffer): string | null {
  if (answer.length > LONGEST_ERROR_BYTES) return null
  const record = parsedRecord(answer.toString('utf8'))
  return record !== null && 'error' in record ? failureOf(answer) : null
}

const LONGEST_ERROR_BYTES = 64 * 2 ** 10

/** About how many tokens a request for vectors is, in any dialect. */
export function embedTokens(body: Buffer): number {
  const outline = outlineOf(body)
  return ['input', 'prompt', 'content', 'requests'].reduce((sum, key) => sum + tokensIn(body, outline, key), 0)
}

/** The texts of a field that holds one or several. @throws GateError BAD_REQUEST */
export function textsIn(value: unknown, param: string): readonly string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')) return value
  throw new GateError('BAD_REQUEST', `"${param}" must be a text or a list of texts`, { param })
}

/** @throws Error when it is no list of numbers */
export function vectorIn(value: unknown): Vector {
  if (Array.isArray(value) && value.every((one) => typeof one === 'number')) return value
  throw new Error('the upstream sent something other than vectors')
}
