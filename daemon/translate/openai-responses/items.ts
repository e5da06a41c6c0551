import { type Citation, urlCitation } from '../citation.ts'
import { inputOf } from '../freeform.ts'
import { parsedRecord } from '../json-value.ts'
import type { CallPart } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { logprobObjects, type TokenLogprobs } from '../token-logprobs.ts'
import { askedIn, itemId } from './response-object.ts'
import { readTools, type ToolName } from './tools.ts'

/** Where an item is, and how far: `in_progress`, `completed` or `incomplete`. */
export type Place = { readonly requestId: string; readonly index: number }
type Status = 'in_progress' | 'completed' | 'incomplete'

/** The names of a client's tools, as it knows them. */
export function toolNames({ call }: Told): (flat: string) => ToolName {
  const { names } = readTools(askedIn(call.body)['tools'])
  return (flat) => names.get(flat) ?? { name: flat, namespace: null, isFreeform: false }
}

export function messageItem({ requestId, index }: Place, content: readonly object[], status: Status): object {
  return { id: itemId('msg', requestId, index), type: 'message', status, role: 'assistant', content }
}

export const textPart = (text: string, logprobs: TokenLogprobs = [], citations: readonly Citation[] = []): object => ({
  type: 'output_text',
  text,
  annotations: citations.map((citation) => annotationOf(citation, text)),
  logprobs: logprobObjects(logprobs),
})
export const annotationOf = (citation: Citation, text: string): object => ({
  type: 'url_citation',
  ...urlCitation(citation, { start: 0, end: text.length }),
})
export const refusalPart = (refusal: string): object => ({ type: 'refusal', refusal })
export const summaryPart = (text: string): object => ({ type: 'summary_text', text })

/** @param sealed what comes back unread; null: nothing */
export function reasoningItem({ requestId, index }: Place, text: string, sealed: string | null): object {
  return {
    id: itemId('rs', requestId, index),
    type: 'reasoning',
    summary: text === '' ? [] : [summaryPart(text)],
    ...(sealed !== null && { encrypted_content: sealed }),
  }
}

/** A call as it begins (`json` is empty) or as it is. */
export function callItem(
  { requestId, index }: Place,
  { id, json }: Omit<CallPart, 'kind' | 'name'>,
  { name, namespace, isFreeform }: ToolName,
  status: Status,
): object {
  const common = { call_id: id, name, ...(namespace !== null && { namespace }) }
  if (isFreeform) {
    return { id: itemId('ctc', requestId, index), type: 'custom_tool_call', ...common, input: inputOf(json) }
  }
  return { id: itemId('fc', requestId, index), type: 'function_call', status, ...common, arguments: json }
}

/** The last call of an answer that met its limit may be incomplete. */
export const statusOfCall = (json: string): Status => (parsedRecord(json) === null ? 'incomplete' : 'completed')
