import { GateError } from '../../../schemas/words/errors.ts'
import { type JsonRecord, textIn } from '../json-value.ts'

const MOST_ITEMS = 100

/** A page of the items that a response was asked with, the last one first unless asked otherwise. */
export function inputItemsPage(items: readonly JsonRecord[], responseId: string, query: URLSearchParams): object {
  const all = items.map((item, index) => shownItem(item, `${responseId}_${index}`))
  const ordered = query.get('order') === 'asc' ? all : all.toReversed()
  const last = query.get('after')
  const after = last === null ? 0 : ordered.findLastIndex(({ id }) => id === last) + 1
  if (last !== null && after === 0) {
    throw new GateError('BAD_REQUEST', `response ${responseId} has no input item "${last.slice(0, 100)}"`, {
      param: 'after',
    })
  }
  const limit = Math.min(Math.max(Number(query.get('limit')) || 20, 1), MOST_ITEMS)
  const data = ordered.slice(after, after + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? '',
    last_id: data.at(-1)?.id ?? '',
    has_more: after + limit < ordered.length,
  }
}

/** With the id and the status that clients may have left out. */
function shownItem(item: JsonRecord, fallback: string): JsonRecord & { readonly id: string } {
  const type = textIn(item['type']) ?? 'message'
  const id = textIn(item['id']) ?? `${type === 'message' ? 'msg' : 'item'}_${fallback}`
  const isReasoning = type === 'reasoning'
  const shown = { ...item, id, type, ...(!isReasoning && { status: textIn(item['status']) ?? 'completed' }) }
  if (type !== 'message' || typeof item['content'] !== 'string') return shown
  const isModel = item['role'] === 'assistant'
  const part = isModel
    ? { type: 'output_text', text: item['content'], annotations: [], logprobs: [] }
    : { type: 'input_text', text: item['content'] }
  return { ...shown, content: [part] } as JsonRecord & { readonly id: string }
}
