// Google's parser takes one object for a list of one, as its own samples for curl have it.
import { expect, test } from 'vitest'
import type { Call } from '../../../../../daemon/translate/call.ts'
import { DIALECTS } from '../../../../../daemon/translate/dialects.ts'

const google = DIALECTS.all.find(({ name }) => name === 'google')

function callOf(method: string, body: object): Call {
  const endpoint = google?.endpoints.find(({ path }) => path === `/v1beta/models/{model}:${method}`)
  if (endpoint === undefined) throw new RangeError(method)
  return { endpoint, param: 'm', url: endpoint.path, headers: {}, body: Buffer.from(JSON.stringify(body)) }
}

const PART = { text: 'Hello there' }
const TURN = { parts: PART }
const DECLARED = { name: 'f', parameters: { type: 'OBJECT' } }

test.each([
  { what: 'contents', body: { contents: TURN } },
  { what: 'a list with one part', body: { contents: [TURN] } },
  { what: 'instructions', body: { contents: TURN, system_instruction: { parts: PART } } },
  { what: 'tools', body: { contents: TURN, tools: { function_declarations: [DECLARED] } } },
])('one object in place of a list: $what', ({ body }) => {
  const call = callOf('generateContent', body)
  expect(google?.readRequest(call)).toMatchObject({ model: 'm' })
  const request = google?.neutral?.readRequest(call)
  expect(request?.messages.at(-1)).toEqual({ role: 'user', parts: [{ kind: 'text', text: 'Hello there' }] })
  expect(request?.ownFields).toEqual([])
  expect(google?.readRequest(callOf('countTokens', body))).toMatchObject({ model: 'm' })
})

test('the same where vectors are asked for', () => {
  const read = (content: object) => google?.embeddings?.readRequest(callOf('embedContent', { content }))?.texts
  expect([read({ parts: PART }), read({ parts: [PART] })]).toEqual([['Hello there'], ['Hello there']])
})

test.each(['hi', 5, true, null])('what is no list and no object is refused: %j', (contents) => {
  expect(() => google?.readRequest(callOf('generateContent', { contents }))).toThrow('must be an array, or an object')
})
