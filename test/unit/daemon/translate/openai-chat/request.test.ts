import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withModel } from '../../../../../daemon/translate/json-splice.ts'
import { ENDPOINTS } from '../../../../../daemon/translate/openai-chat/endpoint.ts'
import { bodyFor, parseChatRequest } from '../../../../../daemon/translate/openai-chat/request.ts'
import { GateError } from '../../../../../schemas/words/errors.ts'

const chat = (extra: object = {}) => ({ model: 'm', messages: [{ role: 'user', content: 'x' }], ...extra })
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))

test.each([
  { body: 'nonsense', code: 'INVALID_JSON' },
  { body: '', code: 'INVALID_JSON' },
  { body: '[]', code: 'INVALID_JSON' },
  { body: 'null', code: 'INVALID_JSON' },
  { body: '{}', code: 'BAD_REQUEST' },
  { body: JSON.stringify(chat({ model: 5 })), code: 'BAD_REQUEST' },
  { body: JSON.stringify(chat({ model: '' })), code: 'BAD_REQUEST' },
  { body: JSON.stringify(chat({ model: 'm'.repeat(257) })), code: 'BAD_REQUEST' },
  { body: JSON.stringify(chat({ messages: 'x' })), code: 'BAD_REQUEST' },
  { body: JSON.stringify(chat({ stream: 'yes' })), code: 'BAD_REQUEST' },
  { body: '{"model":"a","messages":[],"model":"b"}', code: 'BAD_REQUEST' },
  { body: '{"model":"a","messages":[],"model":"a"}', code: 'BAD_REQUEST' },
  { body: '{"model":7,"messages":[],"model":"a"}', code: 'BAD_REQUEST' },
  { body: '{"model":"a","messages":[],"\\u006dodel":"b"}', code: 'BAD_REQUEST' },
  { body: '{"model":"a","messages":[],"stream":false,"stream":true}', code: 'BAD_REQUEST' },
  { body: '{"model":"a","messages":[],"stream":false,"\\u0073tream":true}', code: 'BAD_REQUEST' },
  { body: JSON.stringify(chat({ base_url: 'http://evil.example' })), code: 'FORBIDDEN_FIELD' },
  { body: JSON.stringify(chat({ api_base: 'http://evil.example' })), code: 'FORBIDDEN_FIELD' },
  { body: JSON.stringify(chat({ custom_host: 'http://evil.example' })), code: 'FORBIDDEN_FIELD' },
  // A6: what parsers disagree on
  { body: '{"model":"m","Model":"other","messages":[]}', code: 'BAD_REQUEST' },
  { body: '{"Model":"other","model":"m","messages":[]}', code: 'BAD_REQUEST' },
  { body: '{"model":"m","messages":[],"stream":false,"Stream":true}', code: 'BAD_REQUEST' },
  { body: '{"model":"m","messages":[],"STREAM":true}', code: 'BAD_REQUEST' },
  { body: '{"model":"m","messages":[],"\\u017ftream":true}', code: 'BAD_REQUEST' },
  { body: '{"model":"m","messages":[],"messages":[1]}', code: 'BAD_REQUEST' },
  { body: '{"model":"m","messages":[],"Messages":[1]}', code: 'BAD_REQUEST' },
  { body: '{"model":"m","messages":[],"Base_URL":"http://evil.example"}', code: 'BAD_REQUEST' },
  { body: '{"model":"m","messages":[],"unknown":1,"unKnown":2}', code: 'BAD_REQUEST' },
  { body: '\ufeff{"model":"m","messages":[]}', code: 'INVALID_JSON' },
  { body: '{"model":"m","messages":[]} x', code: 'INVALID_JSON' },
  { body: '{"model":"m","messages":[],}', code: 'INVALID_JSON' },
])('refuses $body with $code', ({ body, code }) => {
  const refusal = (() => {
    try {
      return parseChatRequest(Buffer.from(body))
    } catch (error) {
      return error
    }
  })()
  expect(refusal).toBeInstanceOf(GateError)
  expect(refusal).toMatchObject({ code })
})

test('a key may stand again inside of something, and in a text', () => {
  const inner = { tools: [{ model: 'x', parameters: { model: 'y', stream: true } }], user: '"model":"model" \\u006d' }
  expect(parseChatRequest(bytes(chat(inner)))).toEqual({ model: 'm', stream: false })
})

test('reads model and stream', () => {
  expect(parseChatRequest(bytes(chat()))).toEqual({ model: 'm', stream: false })
  expect(parseChatRequest(bytes(chat({ stream: true })))).toEqual({ model: 'm', stream: true })
  expect(parseChatRequest(bytes(chat({ stream: null })))).toEqual({ model: 'm', stream: false })
})

test('replaces the model and keeps every other byte', () => {
  const text =
    '{ "a" : 1e2,"model" :  "old" , "deep":{"model":"inner","x":["model","y"]},\n"model":"again","n":12345678901234567890}'
  expect(withModel(Buffer.from(text), 'new "one"').toString()).toBe(
    text.replace('"old"', '"new \\"one\\""').replace('"again"', '"new \\"one\\""'),
  )
})

test('finds a model key that is written with escapes', () => {
  expect(withModel(Buffer.from('{"\\u006dodel":"old"}'), 'new').toString()).toBe('{"\\u006dodel":"new"}')
})

test('for any request: the same value but for the model', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.string(),
      fc.string(),
      fc.nat(3),
      (extra, before, after, indent) => {
        const request = { ...extra, model: before, messages: [] }
        const replaced = withModel(Buffer.from(JSON.stringify(request, null, indent)), after).toString()
        expect(JSON.parse(replaced)).toEqual(JSON.parse(JSON.stringify({ ...request, model: after })))
      },
    ),
  )
})

/** The body for an upstream of a provider, and whether the client is not to see its usage. */
function bodyAt(provider: string, text: string, model = 'm') {
  const [endpoint] = ENDPOINTS
  if (endpoint === undefined) throw new Error('no endpoint')
  const body = Buffer.from(text)
  const asked = parseChatRequest(body)
  const sent = bodyFor({ endpoint, param: '', url: endpoint.path, headers: {}, body }, asked, { model, provider })
  return { text: sent.body.toString(), hidesUsage: sent.hidesUsage }
}

const ASKS = '"stream_options":{"include_usage":true}'

test.each([
  { name: 'a stream', more: '"stream":true', sent: `${ASKS},"stream":true`, hides: true },
  { name: 'no options', more: '"stream":true,"stream_options":null', sent: `"stream":true,${ASKS}`, hides: true },
  {
    name: 'options that say no',
    more: '"stream":true,"stream_options": {"include_usage":false,"x":1}',
    sent: '"stream":true,"stream_options": {"include_usage":true,"x":1}',
    hides: true,
  },
  { name: 'a client that asks', more: `"stream":true,${ASKS}`, sent: `"stream":true,${ASKS}`, hides: false },
  { name: 'options that are none', more: '"stream":true,"stream_options":1', sent: null, hides: false },
  { name: 'no stream', more: '"stream":false', sent: null, hides: false },
])('B10: usage is asked for: $name', ({ more, sent, hides }) => {
  const rest = ',"model":"m","messages":[]}'
  expect(bodyAt('openai', `{${more}${rest}`)).toEqual({ text: `{${sent ?? more}${rest}`, hidesUsage: hides })
  expect(bodyAt('custom', `{${more}${rest}`).text).toBe(`{${more}${rest}`)
  // it refuses the field, and reports usage without it
  const { stream_options: _, ...others } = JSON.parse(`{${more}${rest}`)
  expect(JSON.parse(bodyAt('mistral', `{${more}${rest}`).text)).toEqual(others)
})

test('B10: usage is asked for where the model changes, too', () => {
  const text = ' {"model":"m","messages":[],"stream":true,"stream_options":null}'
  expect(bodyAt('vllm', text, 'n').text).toBe(` {"model":"n","messages":[],"stream":true,${ASKS}}`)
  expect(JSON.parse(bodyAt('vllm', '{"model":"m","messages":[],"stream":true}', 'n').text)).toMatchObject({
    model: 'n',
  })
})
