import { expect, test } from 'vitest'
import type { Call } from '../../../../../daemon/translate/call.ts'
import type { KeptAnswers } from '../../../../../daemon/translate/kept-form.ts'
import { openAiResponses } from '../../../../../daemon/translate/openai-responses/dialect.ts'

const [endpoint] = openAiResponses.endpoints
const item = { type: 'message', id: 'msg_a_0', content: [] }
const answers: KeptAnswers = {
  isKeeping: () => true,
  recorded: () => null,
  find: (id) => (id === 'resp_a' ? { input: [], response: { id, output: [item] } } : null),
  keep: () => {},
  isLost: (id) => id === 'resp_lost',
  remove: () => false,
}
const complete = (body: string, from = answers) => {
  if (endpoint === undefined) throw new RangeError('responses have endpoints')
  const call: Call = { endpoint, param: '', url: endpoint.path, headers: {}, body: Buffer.from(body) }
  return JSON.parse(openAiResponses.kept.complete(call, from).body.toString()) as unknown
}

test.each([
  { name: 'plainly', reference: '{"type":"item_reference","id":"msg_a_0"}' },
  { name: 'with an escaped letter', reference: '{"type":"item_r\\u0065ference","id":"msg_a_0"}' },
  { name: 'with an escaped low line', reference: '{"type":"item\\u005Freference","id":"msg_a_0"}' },
  { name: 'by its id alone', reference: '{ "id": "msg_a_0" }' },
  { name: 'without a type', reference: '{"id":"msg_a_0","type":null}' },
  { name: 'without a type in front', reference: '{"type":null,"id":"msg_a_0"}' },
])('an item that is referred to $name is put in its place', ({ reference }) => {
  expect(complete(`{"input":[${reference}]}`)).toEqual({ input: [item] })
})

test.each([
  '{"model":"m","prompt":{"id":"pmpt_1"}}',
  '{"input":"hi","conversation":{"id":"conv_1"}}',
  '{"input":[{"role":"user","content":"hi"}],"metadata":{"id":"x"}}',
  '{"input":[{"type":"message","id":"msg_a_0","role":"user","content":[{"type":"input_text","text":"{\\"id\\":\\"x\\"}"}]}]}',
  '{"input":[{"type":"function_call_output","call_id":"c","output":"","extra":{"id":"x"}}]}',
  '{"input":[{"id":"rs_1","type":"reasoning","summary":[]},{"type":"function_call","id":"fc_1","call_id":"c"}]}',
])('what refers to nothing passes as it is, byte for byte: %s', (body) => {
  if (endpoint === undefined) throw new RangeError('responses have endpoints')
  const call: Call = { endpoint, param: '', url: endpoint.path, headers: {}, body: Buffer.from(body) }
  expect(openAiResponses.kept.complete(call, answers)).toBe(call)
})

test.each([
  '{"id":"msg_a_0","role":"user","content":"hi"}',
  '{"id":"msg_a_0","type":"message","role":"user","content":"hi"}',
])('an item that says what it is stands for itself: %s', (own) => {
  expect(complete(`{"input":[${own},{"id":"msg_a_0"}]}`)).toEqual({ input: [JSON.parse(own), item] })
})

test('of two types that an item has, the upstream sees the one that Gate sees', () => {
  const sent = complete('{"input":[{"type":"item_r\\u0065ference","type":"other","id":"msg_a_0"}]}')
  expect(sent).toEqual({ input: [{ type: 'other', id: 'msg_a_0' }] })
})

test.each(['"background"', '"b\\u0061ckground"'])('%s needs what is kept', (key) => {
  expect(() => complete(`{"input":"hi","store":false,${key}:true}`)).toThrow('"background" needs "store"')
})

test.each(['5', '[]', '{}', 'true'])(
  'a response of the id %s is not passed over: the conversation would be lost',
  (id) => {
    expect(() => complete(`{"input":"hi","previous_response_id":${id}}`)).toThrow(
      '"previous_response_id" must be a string',
    )
  },
)

test('an item that is referred to twice is refused: a short request would become one of any length', () => {
  const reference = '{"type":"item_reference","id":"msg_a_0"}'
  expect(() => complete(`{"input":[${reference},${reference}]}`)).toThrow('item "msg_a_0" appears twice in the input')
})

test('a response is looked up once, however many of its items are referred to', () => {
  let looks = 0
  const output = [0, 1, 2].map((n) => ({ type: 'message', id: `msg_a_${n}`, content: [] }))
  const counted: KeptAnswers = {
    ...answers,
    find(id) {
      looks += 1
      return { input: [], response: { id, output } }
    },
  }
  const input = output.map(({ id }) => ({ type: 'item_reference', id }))
  expect(complete(JSON.stringify({ input }), counted)).toEqual({ input: output })
  expect(looks).toBe(1)
})

test.each([
  { id: 'resp_lost', says: 'the gateway could not store it' },
  { id: 'resp_other', says: 'it was never stored' },
])('who goes on from $id, which is not kept, is told why', ({ id, says }) => {
  expect(() => complete(`{"input":"hi","previous_response_id":"${id}"}`)).toThrow(says)
})
