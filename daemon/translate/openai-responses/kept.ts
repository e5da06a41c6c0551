import { GateError } from '../../../schemas/words/errors.ts'
import { outlineOf } from '../../../syntax/json/outline.ts'
import type { Call, Endpoint } from '../call.ts'
import { mayHold } from '../json-find.ts'
import { type JsonRecord, parsedRecord, recordsIn, textIn } from '../json-value.ts'
import type { KeptAnswers, KeptForm } from '../kept-form.ts'
import type { RecordedAnswer } from '../recorded-form.ts'
import { isBareId, mayHaveBareId } from './bare-id.ts'
import { isCompaction } from './compaction.ts'
import { itemsOf, type Kept, keptOf, wholeInput } from './history.ts'
import { inputItemsPage } from './input-items.ts'
import { isOpen, lostResponse, recordedForm } from './recorded.ts'
import { replayOf } from './replay.ts'
import { askedIn, responseId } from './response-object.ts'
import { tapOf } from './tap.ts'

const REFERS = ['previous_response_id"', 'item_reference"']
const BACKGROUND = 'background"'

export const kept: KeptForm = {
  complete(call, answers) {
    // what may refer is written anew, so that no upstream reads it in another way
    const mayRefer = mayHold(call.body, ...REFERS)
    const mayBeBare = !mayRefer && mayHaveBareId(call.body, call.outline ?? outlineOf(call.body))
    if (!mayRefer && !mayBeBare && !mayHold(call.body, BACKGROUND)) return call
    const asked = parsedRecord(call.body.toString('utf8'))
    if (asked === null) return call
    const { previous_response_id: previous, background, ...rest } = asked
    const refers = mayRefer || (mayBeBare && itemsOf(asked['input']).some(isBareId))
    const runsOn = background === true && mayBeKept(call.endpoint)
    if (!refers && !runsOn) return call
    if (runsOn) checkBackground(asked, answers)
    const { items: input, servedBy } = wholeInput(previous, asked['input'], answers)
    const { endpoint, param, url, headers } = call
    // an upstream is asked for a stream: what has come is known at any time, and silence is told from work
    const body = Buffer.from(JSON.stringify({ ...rest, ...(runsOn && { stream: true }), input }))
    const completed = { endpoint, param, url, headers, body, asked: call.asked ?? call.body }
    return servedBy === undefined ? completed : { ...completed, servedBy }
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
    return recordedForm(call, facts, (response, last) => answers.keep(id, { input, response, last } satisfies Kept))
  },

  page(call, answers) {
    const { endpoint, param: id, url } = call
    const recorded = answers.recorded(id)
    const { input, response, last } = currentOf(id, answers, recorded)
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
    if (endpoint.path.endsWith('/input_items')) return json(inputItemsPage(input, id, query))
    if (query.get('stream') !== 'true') return json(response)
    const after = numberOf(query.get('starting_after'))
    if (recorded !== null && recorded.offsetAfter(after) !== null) return { kind: 'follow', id, after }
    if (!isOpen(response)) return { kind: 'stream', text: replayOf(response, after, last) }
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
  const { input, response, last } =
    recorded === null || recorded.form.isDone() ? keptOf(id, answers) : running(id, answers, recorded)
  const isLost = recorded === null && isOpen(response)
  if (isLost) return { input, response: lostResponse(response) }
  return { input, response, ...(last !== undefined && { last }) }
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
