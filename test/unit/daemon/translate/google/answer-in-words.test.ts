import { expect, test } from 'vitest'
import { createVerdicts } from '../../../../../daemon/check/verdict.ts'
import { google } from '../../../../../daemon/translate/google/dialect.ts'
import { openAiChat } from '../../../../../daemon/translate/openai-chat/dialect.ts'
import { translate } from '../../../../../daemon/translate/translation.ts'

const schema = { type: 'object', properties: { days: { type: 'integer' } } }
const tools = [{ type: 'function', function: { name: 'look', parameters: schema } }]
const formOf = (type: string) => ({ type, ...(type === 'json_schema' && { json_schema: { name: 'x', schema } }) })

/** What a client of OpenAI asks of a model of Google. */
function sent(model: string, hasTools: boolean, type: string) {
  const [endpoint] = openAiChat.endpoints
  if (endpoint === undefined) throw new Error('no endpoint')
  const messages = [{ role: 'user', content: 'hi' }]
  const asked = { model: 'm', messages, response_format: formOf(type), ...(hasTools && { tools }) }
  const call = { endpoint, param: '', url: endpoint.path, headers: {}, body: Buffer.from(JSON.stringify(asked)) }
  const spoken = { dialect: google, grade: 'translate', instead: google } as const
  const facts = { requestId: 'r', nowS: 1, elapsedNs: () => 1, check: createVerdicts() }
  const { body, isChecked, dropped } = translate(openAiChat, spoken, call, { model, provider: 'google' }, facts)
  const { generationConfig, systemInstruction } = JSON.parse(body.toString())
  return { form: Object.keys(generationConfig ?? {}), words: systemInstruction?.parts?.[0]?.text, isChecked, dropped }
}

const NATIVE = { words: undefined, isChecked: false, dropped: [] }

test.each([
  { model: 'gemini-2.5-flash', type: 'json_object', words: /answer with one JSON object/ },
  { model: 'gemini-2.5-pro', type: 'json_schema', words: /of this schema: \{"type":"object"/ },
  { model: 'models/gemini-2.0-flash', type: 'json_schema', words: /^Unless you call a function, / },
])('$model with functions is asked for $type in words, and its answer is looked at', ({ model, type, words }) => {
  const asked = { form: [], words: expect.stringMatching(words), isChecked: true, dropped: [] }
  expect(sent(model, true, type)).toEqual(asked)
})

test.each([
  { model: 'gemini-2.5-flash', hasTools: false, type: 'json_object', form: ['responseMimeType'] },
  { model: 'gemini-2.5-flash', hasTools: false, type: 'json_schema', form: ['responseMimeType', 'responseJsonSchema'] },
  { model: 'gemini-3-pro', hasTools: true, type: 'json_schema', form: ['responseMimeType', 'responseJsonSchema'] },
])('$model takes $type itself, with functions: $hasTools', ({ model, hasTools, type, form }) => {
  expect(sent(model, hasTools, type)).toEqual({ ...NATIVE, form })
})
