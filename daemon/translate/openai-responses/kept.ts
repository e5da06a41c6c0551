import { GateError } from '../../../schemas/words/errors.ts'
import type { Call, Endpoint } from '../call.ts'
import { mayHold } from '../json-find.ts'
import { isRecord, type JsonRecord, parsedRecord, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { AnswerTap, KeptAnswers, KeptForm } from '../kept-form.ts'
import type { RecordedAnswer } from '../recorded-form.ts'
import { SseScanner, utf8Of } from '../sse.ts'
import { isCompaction } from './compaction.ts'
import { isOpen, lostResponse, recordedForm } from './recorded.ts'
import { replayOf } from './replay.ts'
import { askedIn, responseId } from './response-object.ts'

/** What is kept of a response: the input of its request alone, not of those before, and itself. */
type Kept = { readonly input: readonly JsonRecord[]; readonly response: JsonRecord }

/** Responses that follow each other; each holds up the others while it is looked up. */
const LONGEST_CHAIN = 1_000

const REFERS = ['previous_response_id"', 'item_reference"']
const BACKGROUND = 'background"'
/** An item that Gate made names its response. */
const OWN_ITEM = /^(?:msg|rs|fc|ctc)_(.+)_\d+$/

export const kept: KeptForm = {
  complete(call, answers) {
    // what may refer is written anew, so that no upstream reads it in another way
    const refers = mayHold(call.body, ...REFERS)
    if (!refers && !mayHold(call.body, BACKGROUND)) return call
    const asked = parsedRecord(call.body.toString('utf8'))
    if (asked === null) return call
    const { previous_response_id: previous, background, ...rest } = asked
    const runsOn = background === true && mayBeKept(call.endpoint)
    if (!refers && !runsOn) return call
    if (runsOn) checkBackground(asked, answers)
    const input = [...historyOf(previous, answers), ...itemsOf(asked['input']).map((item) => resolved(item, answers))]
    const { endpoint, param, url, headers } = call
    // an upstream is asked for a stream: what has come is known at any time, and silence is told from work
    const body = Buffer.from(JSON.stringify({ ...rest, ...(runsOn && { stream: true }), input }))
    return { endpoint, param, url, headers, body, asked: call.asked ?? call.body }
  },

  tap(call, answers) {
    const asked = keptRequest(call)
    if (asked === null) return null
    return tapOf((response) => {
      const id = textIn(response['id'])
      if (id === null || response['object'] !== 'response') return
      const previous = textIn(asked['previous_response_id'])
      const told = previous === null ? response : { ...response, previous_response_id: previous }
      answers.keep(id, { input: itemsOf(asked['input']), response: told } satisfies Kept)
    })
  },

  record(call, answers, facts, mayResume) {
    if (!answers.isKeeping() || (!mayResume && call.asked === undefined)) return null
    const asked = keptRequest(call)
    if (asked === null || !(asked['background'] === true || (mayResume && asked['stream'] === true))) return null
    const input = itemsOf(asked['input'])
    const id = responseId(facts.requestId)
    return recordedForm(call, facts, (response) => answers.keep(id, { input, response } satisfies Kept))
  },

  page(call, answers) {
    const { endpoint, param: id, url } = call
    const recorded = answers.recorded(id)
    const { input, response } = currentOf(id, answers, recorded)
    if (endpoint.method === 'DELETE') {
      recorded?.cancel()
      answers.remove(id)
      return json({ id, object: 'response', deleted: true })
    }
    if (endpoint.method === 'POST') {
      checkCancel(id, response)
      recorded?.cancel()
      return json(currentOf(id, answers, recorded).response)
    }
    const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
    if (endpoint.path.endsWith('/input_items')) return json(listOf(input, id, query))
    if (query.get('stream') !== 'true') return json(response)
    const after = numberOf(query.get('starting_after'))
    const from = recorded?.offsetAfter(after) ?? null
    if (from !== null) return { kind: 'follow', id, from }
    if (!isOpen(response)) return { kind: 'stream', text: replayOf(response, after) }
    throw new GateError('BAD_REQUEST', 'events that old are not kept; ask for later ones, or without "stream"', {
      param: 'starting_after',
    })
  },
}

const json = (value: object) => ({ kind: 'json' as const, value })

const mayBeKept = (endpoint: Endpoint): boolean => endpoint.does === 'generate' && !isCompaction(endpoint)

/** An answer is kept unless the client says otherwise, in whatever form. */
const mayStore = ({ store }: JsonRecord): boolean => store === undefined || store === null || store === true

/** What a client asked for, when the answer is to be kept. */
function keptRequest(call: Call): JsonRecord | null {
  if (!mayBeKept(call.endpoint)) return null
  const asked = askedIn(call.asked ?? call.body)
  return mayStore(asked) ? asked : null
}

function checkBackground(asked: JsonRecord, answers: KeptAnswers): void {
  if (!mayStore(asked)) {
    throw new GateError('BAD_REQUEST', '"background" needs "store": what is not kept cannot be asked for', {
      param: 'store',
    })
  }
  if (!answers.isKeeping()) {
    throw new GateError('BAD_REQUEST', 'responses are not kept here (server.keep_responses), so none can run on', {
      param: 'background',
    })
  }
}

/** A response as it is now. */
function currentOf(id: string, answers: KeptAnswers, recorded: RecordedAnswer | null): Kept {
  const { input, response } =
    recorded === null || recorded.form.isDone() ? keptOf(id, answers) : running(id, answers, recorded)
  return { input, response: recorded === null && isOpen(response) ? lostResponse(response) : response }
}

/** One that is not in the background is not kept before its end. */
function running(id: string, answers: KeptAnswers, { form }: RecordedAnswer): Kept {
  return { input: recordsIn(answers.find(id)?.['input']), response: form.shown() }
}

function checkCancel(id: string, response: JsonRecord): void {
  if (response['background'] === true) return
  throw new GateError('BAD_REQUEST', `response ${id} does not run in the background, so it cannot be cancelled`)
}

/** @throws GateError BAD_REQUEST */
function numberOf(text: string | null): number {
  if (text === null) return -1
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new GateError('BAD_REQUEST', '"starting_after" must be the number of an event', { param: 'starting_after' })
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
    if (isOpen(response) && answers.recorded(id) !== null) {
      throw new GateError('BAD_REQUEST', `response ${id} is not complete yet`, { param: 'previous_response_id' })
    }
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
          if (!ENDS.has(type) || data === null) return
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
