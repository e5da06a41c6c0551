import { GateError } from '../../../schemas/words/errors.ts'
import type { AnswerTap, KeptAnswers, KeptForm } from '../dialect.ts'
import { isRecord, type JsonRecord, parsedRecord, recordIn, recordsIn, textIn } from '../json-value.ts'
import { SseScanner, utf8Of } from '../sse.ts'
import { replayOf } from './replay.ts'

/** What is kept of a response: the input of its request alone, not of those before, and itself. */
type Kept = { readonly input: readonly JsonRecord[]; readonly response: JsonRecord }

/** Responses that follow each other; each holds up the others while it is looked up. */
const LONGEST_CHAIN = 1_000

const REFERS = [Buffer.from('"previous_response_id"'), Buffer.from('"item_reference"')]
/** An item that Gate made names its response. */
const OWN_ITEM = /^(?:msg|rs|fc|ctc)_(.+)_\d+$/

export const kept: KeptForm = {
  complete(call, answers) {
    if (!REFERS.some((word) => call.body.includes(word))) return call
    const asked = parsedRecord(call.body.toString('utf8'))
    if (asked === null) return call
    const { previous_response_id: previous, ...rest } = asked
    const input = [...historyOf(previous, answers), ...itemsOf(asked['input']).map((item) => resolved(item, answers))]
    const { endpoint, param, url, headers } = call
    const body = Buffer.from(JSON.stringify({ ...rest, input }))
    return { endpoint, param, url, headers, body, asked: call.asked ?? call.body }
  },

  tap(call, answers) {
    if (call.endpoint.does !== 'generate') return null
    const asked = parsedRecord((call.asked ?? call.body).toString('utf8'))
    if (asked === null || asked['store'] === false) return null
    return tapOf((response) => {
      const id = textIn(response['id'])
      if (id === null || response['object'] !== 'response') return
      const previous = textIn(asked['previous_response_id'])
      const told = previous === null ? response : { ...response, previous_response_id: previous }
      answers.keep(id, { input: itemsOf(asked['input']), response: told } satisfies Kept)
    })
  },

  page(call, answers) {
    const { endpoint, param: id, url } = call
    const { input, response } = keptOf(id, answers)
    if (endpoint.method === 'DELETE') {
      answers.remove(id)
      return { id, object: 'response', deleted: true }
    }
    if (endpoint.method === 'POST') {
      throw new GateError('BAD_REQUEST', `response ${id} is complete: there is nothing to cancel`)
    }
    const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
    if (endpoint.path.endsWith('/input_items')) return listOf(input, id, query)
    return query.get('stream') === 'true' ? replayOf(response, Number(query.get('starting_after') ?? -1)) : response
  },
}

function keptOf(id: string, answers: KeptAnswers, param?: string): Kept {
  const found = answers.find(id)
  if (found !== null) return { input: recordsIn(found['input']), response: recordIn(found['response']) }
  const message = `response "${id.slice(0, 100)}" is not kept: it was never stored, its time is over, or it is another key's`
  throw new GateError('RESPONSE_NOT_FOUND', message, param === undefined ? {} : { param })
}

/** Everything that was said up to a response. */
function historyOf(last: unknown, answers: KeptAnswers): readonly JsonRecord[] {
  const turns: (readonly JsonRecord[])[] = []
  for (let id = textIn(last); id !== null; ) {
    if (turns.length === LONGEST_CHAIN) {
      throw new GateError(
        'BAD_REQUEST',
        `more than ${LONGEST_CHAIN} responses follow each other; send the input itself`,
        {
          param: 'previous_response_id',
        },
      )
    }
    const { input, response } = keptOf(id, answers, 'previous_response_id')
    turns.push([...input, ...recordsIn(response['output'])])
    id = textIn(response['previous_response_id'])
  }
  return turns.reverse().flat()
}

/** An input as items. */
function itemsOf(input: unknown): readonly JsonRecord[] {
  if (typeof input === 'string')
    return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] }]
  return recordsIn(input)
}

/** An item that only its id was sent of; where it is not known, that is for others to say. */
function resolved(item: JsonRecord, answers: KeptAnswers): JsonRecord {
  const id = textIn(item['id'])
  const own = item['type'] === 'item_reference' && id !== null ? OWN_ITEM.exec(id)?.[1] : undefined
  const found = own === undefined ? null : answers.find(`resp_${own}`)
  return recordsIn(recordIn(found?.['response'])['output']).find((one) => one['id'] === id) ?? item
}

const MOST_ITEMS = 100

/** A page of the items that a response was asked with, the last one first unless asked otherwise. */
function listOf(items: readonly JsonRecord[], responseId: string, query: URLSearchParams): object {
  const all = items.map((item, index) => shownItem(item, `${responseId}_${index}`))
  const ordered = query.get('order') === 'asc' ? all : all.toReversed()
  const after = ordered.findIndex(({ id }) => id === query.get('after')) + 1
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

const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed'])
const OPENING_BRACE = 0x7b

/** Finds the response in an answer: all of it, or the end of a stream. */
function tapOf(found: (response: JsonRecord) => void): AnswerTap {
  const pieces: Buffer[] = []
  let scanner: SseScanner | null = null
  return {
    feed(chunk) {
      if (chunk.length === 0) return
      if (scanner === null && pieces.length === 0 && chunk[0] !== OPENING_BRACE) {
        scanner = new SseScanner((data, type) => {
          if (!ENDS.has(type)) return
          const { response } = parsedRecord(utf8Of(data)) ?? {}
          if (isRecord(response)) found(response)
        })
      }
      if (scanner === null) pieces.push(chunk)
      else scanner.feed(chunk)
    },
    end() {
      if (scanner !== null || pieces.length === 0) return
      const response = parsedRecord(Buffer.concat(pieces).toString('utf8'))
      if (response !== null) found(response)
    },
  }
}
