import type { GateError } from '../../../schemas/words/errors.ts'
import { OPENING_BRACKET } from '../../../syntax/json/brackets.ts'
import { holds, placeIn } from '../json-find.ts'
import { isRecord } from '../json-value.ts'
import { errorBody } from '../openai-error.ts'

/** An error as a frame of a stream. */
export function errorFrame(error: GateError): string {
  return `data: ${JSON.stringify(errorBody(error))}\n\n`
}

const UNTOLD = 'the upstream reported an error'

/** The message of the error in a whole answer whose status says success; null: it holds none. */
export function failureOf(answer: Buffer): string | null {
  if (hasChoices(answer) && !holds(answer, 'error"')) return null // quotes inside of content are escaped
  try {
    const value: unknown = JSON.parse(answer.toString('utf8'))
    const outermost: unknown = Array.isArray(value) ? value[0] : value // Google lists its errors
    if (!isRecord(outermost)) return NO_COMPLETION
    return failureIn(outermost) ?? (Array.isArray(outermost['choices']) ? null : complaintIn(outermost))
  } catch {
    return NO_COMPLETION // the page of a proxy, or nothing at all
  }
}

const NO_COMPLETION = 'the upstream answered with something other than a chat completion'
const CHOICES = 'choices"'
const QUOTE = 0x22
const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d])
const COLON = 0x3a

/** Whether an answer has a list of choices, by its bytes. */
function hasChoices(answer: Buffer): boolean {
  const key = placeIn(answer, CHOICES)
  if (key === -1 || answer[key - 1] !== QUOTE) return false
  let at = key + CHOICES.length
  while (SPACE.has(answer[at] ?? 0) || answer[at] === COLON) at += 1
  return answer[at] === OPENING_BRACKET
}

/** What an answer without choices complains of; null for what may be the answer of an extension. */
function complaintIn(answer: Readonly<Record<string, unknown>>): string | null {
  const said = ['message', 'detail', 'msg'].map((name) => answer[name]).find((text) => typeof text === 'string')
  const isComplaint = said !== undefined || 'error' in answer || 'errors' in answer || Object.keys(answer).length === 0
  return isComplaint || 'choices' in answer ? textOf(said) : null
}

/**
 * The message of the error in an answer or a chunk, or in one of its choices. Some write an empty one beside content,
 * which is none.
 */
export function failureIn(event: Readonly<Record<string, unknown>>): string | null {
  const { error, object, type, message, choices } = event
  const failure = failureSaid(error)
  if (failure !== null) return failure
  if (object === 'error' || type === 'error') return textOf(message)
  if (!Array.isArray(choices)) return null
  for (const choice of choices) {
    const said = isRecord(choice) && 'error' in choice ? failureSaid(choice['error']) : null
    if (said !== null) return said
  }
  return null
}

function failureSaid(error: unknown): string | null {
  if (isRecord(error)) return Object.keys(error).length === 0 ? null : textOf(error['message'])
  if (typeof error === 'number' && error !== 0) return textOf(`error ${error}`)
  return error === true || (typeof error === 'string' && error !== '') ? textOf(error) : null
}

export function textOf(message: unknown): string {
  return typeof message === 'string' && message !== '' ? message : UNTOLD
}
