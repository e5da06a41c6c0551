// Google's parser takes one object for a list of one, as its own samples for curl have it.
import { expect, test } from 'vitest'
import type { Call } from '../../../../../daemon/translate/call.ts'
import { CallSignatures } from '../../../../../daemon/translate/call-signature.ts'
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
  { what: 'a function', body: { contents: TURN, tools: [{ functionDeclarations: DECLARED }] } },
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

test('a function that is no list is one', () => {
  const call = callOf('generateContent', { contents: TURN, tools: { functionDeclarations: DECLARED } })
  expect(google?.neutral?.readRequest(call).tools).toMatchObject([{ name: 'f' }])
})

test.each([
  { said: 'a text', systemInstruction: 'Be brief.' },
  { said: 'a list of parts', systemInstruction: { parts: [{ text: 'Be brief.' }] } },
  { said: 'one part', systemInstruction: { parts: { text: 'Be brief.' } } },
  { said: 'a part itself', systemInstruction: { text: 'Be brief.' } },
])("the operator's text comes in front of instructions that are $said", ({ systemInstruction }) => {
  const parts = [{ text: 'In house style.' }, { text: 'Be brief.' }]
  for (const request of [{ systemInstruction }, { system_instruction: systemInstruction }])
    expect(google?.withInstructions?.({ ...request, contents: TURN }, 'In house style.')).toEqual({
      contents: TURN,
      systemInstruction: { parts },
    })
})

test('a signature of Gate is taken out wherever it is', () => {
  const signature = new CallSignatures()
  signature.keep({ kind: 'reasoning', text: 'Hm.', signature: 's', signedBy: 'anthropic' })
  const part = { functionCall: { name: 'f', args: {} }, thoughtSignature: signature.take() }
  for (const contents of [[{ role: 'model', parts: [part] }], { role: 'model', parts: part }]) {
    const call = callOf('generateContent', { contents })
    const asked = google?.readRequest(call)
    const sent = asked && google?.bodyFor(call, asked, { model: 'gemini-2.5-pro', provider: 'google' }).body.toString()
    expect(sent).toContain('"functionCall"')
    expect(sent).not.toContain(part.thoughtSignature)
  }
})
