import { type JsonRecord, listIn, recordIn, recordsIn, textIn } from '../json-value.ts'
import { frame } from './event.ts'

/**
 * The stream of a response that is complete, each text in one piece. Its end is told in any case: the client may have
 * had more events than there are here, of texts in many pieces.
 * @param after the number of the last event that the client has; -1: none
 * @param last the number of the last event that there was; nothing comes after it
 */
export function replayOf(response: JsonRecord, after: number, last = Number.POSITIVE_INFINITY): string {
  if (after >= last) return ''
  const events = eventsOf(response)
  const missing = events.map(([type, rest], number) => (number > after ? frame(number, type, rest) : ''))
  const status = textIn(response['status']) ?? 'completed'
  const end = status === 'cancelled' ? 'incomplete' : status
  return missing.join('') + frame(Math.max(events.length, after + 1), `response.${end}`, { response })
}

type Event = readonly [type: string, rest: object]

function eventsOf(response: JsonRecord): readonly Event[] {
  const begun = { ...response, status: 'in_progress', completed_at: null, output: [], output_text: '', usage: null }
  const items = recordsIn(response['output']).flatMap(itemEvents)
  return [['response.created', { response: begun }], ['response.in_progress', { response: begun }], ...items]
}

function itemEvents(item: JsonRecord, index: number): readonly Event[] {
  const place = { item_id: item['id'], output_index: index }
  return [
    ['response.output_item.added', { output_index: index, item: { ...item, ...EMPTY[String(item['type'])] } }],
    ...saidEvents(item, place),
    ['response.output_item.done', { output_index: index, item }],
  ]
}

/** What an item begins without. */
const EMPTY: Readonly<Record<string, object>> = {
  message: { status: 'in_progress', content: [] },
  function_call: { status: 'in_progress', arguments: '' },
  custom_tool_call: { input: '' },
  reasoning: { summary: [] },
}

function saidEvents(item: JsonRecord, place: object): readonly Event[] {
  switch (item['type']) {
    case 'message':
      return recordsIn(item['content']).flatMap((part, index) =>
        contentEvents(part, { ...place, content_index: index }),
      )
    case 'reasoning':
      return recordsIn(item['summary']).flatMap((part, index) =>
        summaryEvents(part, { ...place, summary_index: index }),
      )
    case 'function_call':
      return [
        ['response.function_call_arguments.delta', { ...place, delta: item['arguments'] }],
        ['response.function_call_arguments.done', { ...place, arguments: item['arguments'] }],
      ]
    case 'custom_tool_call':
      return [
        ['response.custom_tool_call_input.delta', { ...place, delta: item['input'] }],
        ['response.custom_tool_call_input.done', { ...place, input: item['input'] }],
      ]
    default:
      return []
  }
}

function contentEvents(part: JsonRecord, place: object): readonly Event[] {
  if (part['type'] === 'refusal') {
    const { refusal } = part
    return [
      ['response.content_part.added', { ...place, part: { ...part, refusal: '' } }],
      ['response.refusal.delta', { ...place, delta: refusal }],
      ['response.refusal.done', { ...place, refusal }],
      ['response.content_part.done', { ...place, part }],
    ]
  }
  const { text, logprobs } = recordIn(part)
  const said = { ...place, logprobs: listIn(logprobs) }
  return [
    ['response.content_part.added', { ...place, part: { ...part, text: '' } }],
    ['response.output_text.delta', { ...said, delta: text }],
    ['response.output_text.done', { ...said, text }],
    ['response.content_part.done', { ...place, part }],
  ]
}

function summaryEvents(part: JsonRecord, place: object): readonly Event[] {
  return [
    ['response.reasoning_summary_part.added', { ...place, part: { ...part, text: '' } }],
    ['response.reasoning_summary_text.delta', { ...place, delta: part['text'] }],
    ['response.reasoning_summary_text.done', { ...place, text: part['text'] }],
    ['response.reasoning_summary_part.done', { ...place, part }],
  ]
}
