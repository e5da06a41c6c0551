import { GateError } from '../../../schemas/words/errors.ts'
import type { Served } from '../call.ts'
import { type JsonRecord, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { KeptAnswers } from '../kept-form.ts'
import { isBareId } from './bare-id.ts'
import { isOpen } from './recorded.ts'

/** What is kept of a response: the input of its request alone, not of those before, and itself. */
export type Kept = {
  readonly input: readonly JsonRecord[]
  readonly response: JsonRecord
  /** The number of its last event; absent: that is not known. */
  readonly last?: number
}

/** `servedBy`: what has made the last response; undefined: there was none, or that is not known. */
type Whole = { readonly items: readonly JsonRecord[]; readonly servedBy: Served | undefined }

/** Responses that follow each other; each holds up the others while it is looked up. */
const LONGEST_CHAIN = 1_000

/** An item that Gate made names its response. */
const OWN_ITEM = /^(?:msg|rs|fc|ctc)_(.+)_\d+$/

/** The input of a request, and before it everything that was said up to a response. @param previous its id */
export function wholeInput(previous: unknown, input: unknown, answers: KeptAnswers): Whole {
  const { items, servedBy } = historyOf(previous, answers)
  const own = itemsOf(input)
  return { items: [...items, ...resolved(own, answers)], servedBy }
}

function historyOf(last: unknown, answers: KeptAnswers): Whole {
  if (last !== undefined && last !== null && typeof last !== 'string') {
    throw new GateError('BAD_REQUEST', '"previous_response_id" must be a string', { param: 'previous_response_id' })
  }
  const turns: (readonly JsonRecord[])[] = []
  let servedBy: Served | undefined
  for (let id = textIn(last); id !== null; ) {
    if (turns.length === LONGEST_CHAIN) {
      const message = `more than ${LONGEST_CHAIN} responses follow each other; send the input itself`
      throw new GateError('BAD_REQUEST', message, { param: 'previous_response_id' })
    }
    const { input, response, ...found } = keptOf(id, answers, 'previous_response_id')
    if (turns.length === 0) servedBy = found.servedBy
    if (isOpen(response) && answers.recorded(id) !== null) {
      throw new GateError('BAD_REQUEST', `response ${id} is not complete yet`, { param: 'previous_response_id' })
    }
    turns.push([...input, ...recordsIn(response['output'])])
    id = textIn(response['previous_response_id'])
  }
  return { items: turns.reverse().flat(), servedBy }
}

/** An input as items. */
export function itemsOf(input: unknown): readonly JsonRecord[] {
  if (typeof input === 'string')
    return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] }]
  return recordsIn(input)
}

/**
 * Items with those in place of which only an id was sent; one that is not known is for others to say.
 * @throws GateError BAD_REQUEST when one is referred to twice: a short request would become one of any length
 */
function resolved(items: readonly JsonRecord[], answers: KeptAnswers): readonly JsonRecord[] {
  const outputs = new Map<string, ReadonlyMap<unknown, JsonRecord>>()
  const taken = new Set<string>()
  return items.map((item) => {
    const id = textIn(item['id'])
    const own = isReference(item) && id !== null ? OWN_ITEM.exec(id)?.[1] : undefined
    if (own === undefined || id === null) return item
    const output = outputs.get(own) ?? outputOf(`resp_${own}`, answers)
    outputs.set(own, output)
    const found = output.get(id)
    if (found === undefined) return item
    if (taken.has(id)) throw new GateError('BAD_REQUEST', `item "${id}" appears twice in the input`, { param: 'input' })
    taken.add(id)
    return found
  })
}

/** What stands for an item says so, or has nothing but an id. */
const isReference = (item: JsonRecord): boolean => item['type'] === 'item_reference' || isBareId(item)

/** The items of a response by their ids; empty when it is not kept. */
function outputOf(id: string, answers: KeptAnswers): ReadonlyMap<unknown, JsonRecord> {
  const items = recordsIn(recordIn(answers.find(id)?.['response'])['output'])
  return new Map(items.map((item) => [item['id'], item]))
}

/** @param param the field that names it @throws GateError RESPONSE_NOT_FOUND */
export function keptOf(id: string, answers: KeptAnswers, param?: string): Kept & { readonly servedBy?: Served } {
  const found = answers.find(id)
  if (found !== null) {
    const { input, response, last, servedBy } = found
    const { upstream, model } = recordIn(servedBy)
    return {
      input: recordsIn(input),
      response: recordIn(response),
      ...(typeof last === 'number' && { last }),
      ...(typeof upstream === 'string' && typeof model === 'string' && { servedBy: { upstream, model } }),
    }
  }
  const why = answers.isLost(id)
    ? 'the gateway could not store it, and its log says why; send the conversation itself as input'
    : "it was never stored, its time is over, or it is another key's"
  const message = `response "${id.slice(0, 100)}" is not kept: ${why}`
  throw new GateError('RESPONSE_NOT_FOUND', message, param === undefined ? {} : { param })
}
