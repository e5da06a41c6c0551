// Some upstreams number items in some events, and name them in others: each item is told once all the same.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NeutralEvent } from '../../../../../daemon/translate/neutral.ts'
import { openAiResponses } from '../../../../../daemon/translate/openai-responses/dialect.ts'

type Place = { readonly item: object; readonly index: number }
type Step = { readonly type: string; readonly of: number; readonly more: object }

const TEXT = { type: 'message', id: 'msg_a', role: 'assistant', content: [] }
const CALL = { type: 'function_call', id: 'fc_b', call_id: 'call_b', name: 'f', arguments: '' }
const SAID = { ...TEXT, content: [{ type: 'output_text', text: 'Hello', annotations: [] }] }
const CALLED = { ...CALL, arguments: '{"a":1}' }
const PLACES: readonly Place[] = [
  { item: SAID, index: 0 },
  { item: CALLED, index: 1 },
]
const STEPS: readonly Step[] = [
  { type: 'output_item.added', of: 0, more: { item: TEXT } },
  { type: 'output_text.delta', of: 0, more: { item_id: 'msg_a', content_index: 0, delta: 'Hel' } },
  { type: 'output_text.delta', of: 0, more: { item_id: 'msg_a', content_index: 0, delta: 'lo' } },
  { type: 'output_text.done', of: 0, more: { item_id: 'msg_a', content_index: 0, text: 'Hello' } },
  { type: 'output_item.done', of: 0, more: { item: SAID } },
  { type: 'output_item.added', of: 1, more: { item: CALL } },
  { type: 'function_call_arguments.delta', of: 1, more: { item_id: 'fc_b', delta: '{"a":' } },
  { type: 'function_call_arguments.delta', of: 1, more: { item_id: 'fc_b', delta: '1}' } },
  { type: 'function_call_arguments.done', of: 1, more: { item_id: 'fc_b', arguments: '{"a":1}' } },
  { type: 'output_item.done', of: 1, more: { item: CALLED } },
]

/** @param numbered which of the steps have the number of their item */
function read(numbered: readonly boolean[]): readonly NeutralEvent[] {
  const events = STEPS.map(({ type, of, more }, at) => ({
    type: `response.${type}`,
    ...(numbered[at] === true && { output_index: PLACES[of]?.index }),
    ...more,
  }))
  const response = { id: 'resp_1', model: 'm', status: 'completed', output: PLACES.map(({ item }) => item) }
  const text = [...events, { type: 'response.completed', response }].map((one) => `data: ${JSON.stringify(one)}\n\n`)
  const reader = openAiResponses.neutral.readEvents('r1')
  return [...reader.feed(Buffer.from(text.join(''))), ...reader.end()]
}

const told = (events: readonly NeutralEvent[]) =>
  events.flatMap((event) => {
    if (event.kind === 'part') return [JSON.stringify(event.part)]
    return event.kind === 'more' ? [event.text] : event.kind === 'error' ? [event.message] : []
  })

test('whichever events have a number, what is said and called comes once', () => {
  const all = told(read(STEPS.map(() => true)))
  expect(all.join(' ')).toContain('Hel lo')
  expect(all.filter((one) => one.includes('"call"'))).toHaveLength(1)
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: STEPS.length, maxLength: STEPS.length }), (numbered) => {
      expect(told(read(numbered)).join('')).toBe(all.join(''))
    }),
    { numRuns: 300 },
  )
})

test('items of one id and different numbers are different items', () => {
  const item = (index: number, text: string) => [
    { type: 'response.output_item.added', output_index: index, item: { ...TEXT, id: 'msg' } },
    { type: 'response.output_text.delta', output_index: index, item_id: 'msg', content_index: 0, delta: text },
    { type: 'response.output_text.done', output_index: index, item_id: 'msg', content_index: 0, text },
  ]
  const reader = openAiResponses.neutral.readEvents('r1')
  const events = [...item(0, 'one'), ...item(1, 'two')].map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')
  expect(told(reader.feed(Buffer.from(events)))).toEqual(['{"kind":"text"}', 'one', '{"kind":"text"}', 'two'])
})
