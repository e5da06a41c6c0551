import type { DialectProbe, SeenEvent } from '../dialect-probe.ts'
import { isRecord, type JsonRecord, recordIn } from '../json-value.ts'

const INPUT = 'Count from one to one hundred.'
const TOOL = { type: 'function', name: 'start', parameters: { type: 'object', properties: {} }, strict: false }

/** Asks for a response and a call. What is missed in the streams is what SDKs throw, or lose something, without. */
export const probe: DialectProbe = {
  path: '/responses',
  isOwnError: ({ error }) => typeof recordIn(error)['message'] === 'string',
  text: (model, maxTokens) => ({ model, max_output_tokens: maxTokens, stream: true, store: false, input: INPUT }),
  call: (model, maxTokens) => ({
    model,
    max_output_tokens: maxTokens,
    stream: true,
    store: false,
    input: INPUT,
    tools: [TOOL],
    tool_choice: 'required',
  }),
  missing: (events) => [...events.flatMap(missingIn), ...missingInAll(events)],
}

const isNumber = (value: unknown): boolean => typeof value === 'number'
const isText = (value: unknown): boolean => typeof value === 'string'
const isName = (value: unknown): boolean => isText(value) && value !== ''

const OF_ITEM = { output_index: isNumber, item_id: isName }
const OF_CONTENT = { ...OF_ITEM, content_index: isNumber }
/** The fields that each event has to have. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  'response.created': { response: isRecord },
  'response.output_item.added': { output_index: isNumber, item: isRecord },
  'response.output_item.done': { output_index: isNumber, item: isRecord },
  'response.content_part.added': { ...OF_CONTENT, part: isRecord },
  'response.content_part.done': { ...OF_CONTENT, part: isRecord },
  'response.output_text.delta': { ...OF_CONTENT, delta: isText },
  'response.output_text.done': { ...OF_CONTENT, text: isText },
  'response.function_call_arguments.delta': { ...OF_ITEM, delta: isText },
  'response.function_call_arguments.done': { ...OF_ITEM, arguments: isText },
  'response.completed': { response: isRecord },
  'response.incomplete': { response: isRecord },
}

function missingIn({ data }: SeenEvent): readonly string[] {
  const type = String(data['type'])
  const fields = Object.entries(FIELDS[type] ?? {})
  return fields.filter(([field, isThere]) => !isThere(data[field])).map(([field]) => `${type} without ${field}`)
}

function missingInAll(events: readonly SeenEvent[]): readonly string[] {
  const faults: string[] = []
  const ofType = (type: string): readonly JsonRecord[] =>
    events.flatMap(({ data }) => (data['type'] === type ? [data] : []))
  const [created] = ofType('response.created')
  const { id, created_at: createdAt } = recordIn(created?.['response'])
  if (!isName(id) || !isNumber(createdAt)) faults.push('response.created without id or created_at')
  const ids = new Set(events.flatMap(({ data }) => (isRecord(data['response']) ? [data['response']['id']] : [])))
  if (ids.size > 1) faults.push('several ids of one response')
  const calls = ofType('response.output_item.done').filter(
    ({ item }) => recordIn(item)['type'] === 'function_call',
  ).length
  if (ofType('response.function_call_arguments.done').length < calls) {
    faults.push('calls without response.function_call_arguments.done')
  }
  return faults
}
