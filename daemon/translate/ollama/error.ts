import type { GateError } from '../../../schemas/words/errors.ts'
import { type JsonRecord, parsedRecord } from '../json-value.ts'

/** The error body that Ollama's clients understand: a text. */
export const errorBody = ({ message }: GateError): object => ({ error: message })

/** The same as a line of a stream. */
export const errorFrame = (error: GateError): string => `${JSON.stringify(errorBody(error))}\n`

const NO_ANSWER = 'the upstream answered with something other than a completion'

/** The message of the error in a whole answer whose status says success; null: it holds none. */
export function failureOf(answer: Buffer): string | null {
  const value = parsedRecord(answer.toString('utf8'))
  if (value === null) return NO_ANSWER
  return failureIn(value) ?? ('message' in value || 'response' in value ? null : NO_ANSWER)
}

/** The message of the error in an answer or a line; null: it holds none. */
export function failureIn({ error }: JsonRecord): string | null {
  if (typeof error === 'string') return error === '' ? 'the upstream reported an error' : error
  return error === undefined || error === null ? null : JSON.stringify(error)
}
