import type { GateError } from '../../../schemas/words/errors.ts'
import { isRecord, type JsonRecord, numberIn, parsedRecord, recordIn, recordsIn, textIn } from '../json-value.ts'

/** Google's names of statuses; any other 4xx is an INVALID_ARGUMENT, any other 5xx INTERNAL. */
const STATUSES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
  529: 'UNAVAILABLE',
}

/**
 * The error body that Google's SDKs understand.
 * @see https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
 */
export function errorBody({ code, status, message, param, retryAfterS }: GateError): object {
  const details = [
    ...(param === null
      ? []
      : [{ '@type': `${RPC}BadRequest`, fieldViolations: [{ field: param, description: message }] }]),
    ...(retryAfterS === null || code === 'BUDGET_EXHAUSTED'
      ? []
      : [{ '@type': RETRY_INFO, retryDelay: `${retryAfterS}s` }]),
  ]
  const name = STATUSES[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')
  return { error: { code: status, message, status: name, ...(details.length > 0 && { details }) } }
}

const RPC = 'type.googleapis.com/google.rpc.'
const RETRY_INFO = `${RPC}RetryInfo`

/** The same as a frame of a stream. */
export function errorFrame(error: GateError): string {
  return `data: ${JSON.stringify(errorBody(error))}\n\n`
}

/** The same in a list, of which it is the last part. */
export function listErrorFrame(error: GateError, isFirst: boolean): string {
  return `${isFirst ? '[' : ',\n'}${JSON.stringify(errorBody(error))}]\n`
}

/** How many seconds an error asks to wait, in its details; null when it does not say. */
export function retryAfterIn(body: Buffer): number | null {
  const { error } = parsedRecord(body.toString('utf8')) ?? {}
  const info = recordsIn(recordIn(error)['details']).find((detail) => detail['@type'] === RETRY_INFO)
  const [, seconds] = /^(\d+(?:\.\d+)?)s$/.exec(textIn(info?.['retryDelay']) ?? '') ?? []
  return seconds === undefined ? null : Math.ceil(Number(seconds))
}

const UNTOLD = 'the upstream reported an error'
const NO_ANSWER = 'the upstream answered with something other than generated content'
const CANDIDATES = Buffer.from('"candidates"')

/** The message of the error in a whole answer whose status says success; null: it holds none. */
export function failureOf(answer: Buffer): string | null {
  if (answer.includes(CANDIDATES) && !answer.includes('"error"')) return null // quotes inside of content are escaped
  try {
    const value: unknown = JSON.parse(answer.toString('utf8'))
    const outermost: unknown = Array.isArray(value) ? value[0] : value
    if (!isRecord(outermost)) return NO_ANSWER
    return failureIn(outermost) ?? (ANSWERS.some((key) => key in outermost) ? null : NO_ANSWER)
  } catch {
    return NO_ANSWER // the page of a proxy, or nothing at all
  }
}

/** Content, a refusal of the prompt, or a count. */
const ANSWERS = ['candidates', 'promptFeedback', 'totalTokens', 'usageMetadata'] as const

/** The message of the error in an answer or an event; null: it holds none. */
export function failureIn({ error }: JsonRecord): string | null {
  if (isRecord(error)) return textIn(error['message']) || textIn(error['status']) || UNTOLD
  return typeof error === 'string' && error !== '' ? error : numberIn(error) !== null ? UNTOLD : null
}
