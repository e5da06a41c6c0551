import { ERRORS, type GateError } from '../../../schemas/words/errors.ts'
import { isRecord, type JsonRecord, parsedRecord, textIn } from '../json-value.ts'
import { errorBody } from '../openai-error.ts'
import { frame } from './event.ts'

/**
 * An error in a stream of which nothing has come: no response has been created that could fail. OpenAI's types have it
 * flat, the Open Responses document inside of `error`, as OpenAI itself sends it.
 */
export function errorFrame(error: GateError): string {
  const body = errorBody(error)
  const { code, message, param } = body.error
  return frame(0, 'error', { code, message, param, ...body })
}

/** The error of a response that has failed. */
export function responseError({ code, message }: GateError): object {
  return { code: ERRORS[code].status === 429 ? 'rate_limit_exceeded' : 'server_error', message }
}

const UNTOLD = 'the upstream reported an error'
const NO_RESPONSE = 'the upstream answered with something other than a response'
const RESPONSE = Buffer.from('"object":"response"')
const NO_ERROR = Buffer.from('"error":null')

/** The message of the error in a whole answer whose status says success; null: it holds none. */
export function failureOf(answer: Buffer): string | null {
  if (answer.includes(RESPONSE) && answer.includes(NO_ERROR)) return null // quotes inside of content are escaped
  const value = parsedRecord(answer.toString('utf8'))
  if (value === null) return NO_RESPONSE
  const isAnswer = Array.isArray(value['output']) || 'input_tokens' in value // a response, or a count
  return failureIn(value) ?? (isAnswer ? null : NO_RESPONSE)
}

/** The message of the error in a response or an event; null: it holds none. */
export function failureIn({ type, error, message, status }: JsonRecord): string | null {
  if (isRecord(error)) return textIn(error['message']) || textIn(error['code']) || textIn(error['type']) || UNTOLD
  if (typeof error === 'string' && error !== '') return error
  if (type === 'error') return textIn(message) || UNTOLD
  return status === 'failed' ? UNTOLD : null
}
