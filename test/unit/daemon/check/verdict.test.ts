import { expect, test } from 'vitest'
import { createVerdicts } from '../../../../daemon/check/verdict.ts'

const verdictOf = createVerdicts()

const SCHEMA = {
  type: 'object',
  properties: {
    count: { type: 'integer' },
    ratio: { type: 'number' },
    isOn: { type: 'boolean' },
    name: { type: 'string' },
    list: { type: 'array', items: { type: 'integer' } },
    inner: { type: 'object', properties: { count: { type: 'integer' } }, required: ['count'] },
    either: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    mode: { enum: ['a', 'b'] },
  },
  additionalProperties: false,
}
const call = (text: string, schema: unknown = SCHEMA) =>
  verdictOf({ text, schema: schema === null ? null : JSON.stringify(schema), isCall: true })

test.each([
  { kind: 'what fits, byte for byte', text: '{ "count" : 1e0 }', json: '{ "count" : 1e0 }' },
  { kind: 'no arguments', text: '', json: '{}' },
  { kind: 'spaces for no arguments', text: ' \n', json: '{}' },
  { kind: 'a number as a string', text: '{"count":"5","ratio":"-0.5e1"}', json: '{"count":5,"ratio":-5}' },
  { kind: 'a word as a string', text: '{"isOn":"True"}', json: '{"isOn":true}' },
  { kind: 'a string as a number', text: '{"name":5}', json: '{"name":"5"}' },
  { kind: 'a string as a word', text: '{"name":false}', json: '{"name":"false"}' },
  { kind: 'a list in a string', text: '{"list":"[1, 2]"}', json: '{"list":[1,2]}' },
  { kind: 'numbers as strings in a list in a string', text: '{"list":"[\\"1\\"]"}', json: '{"list":[1]}' },
  { kind: 'an object in a string', text: '{"inner":"{\\"count\\":\\"3\\"}"}', json: '{"inner":{"count":3}}' },
  { kind: 'null for what may be left out', text: '{"name":null,"count":1}', json: '{"count":1}' },
  { kind: 'one of two types', text: '{"either":"7"}', json: '{"either":7}' },
  { kind: 'all of it in a string', text: '"{\\"count\\":1}"', json: '{"count":1}' },
  { kind: 'what is nearly JSON, and a number as a string', text: "{'count':'5',}", json: '{"count":5}' },
])('$kind is sound', ({ text, json }) => {
  expect(call(text)).toEqual({ kind: 'sound', json })
})

test.each([
  { kind: 'words', text: 'no', problem: 'not a JSON object' },
  { kind: 'a list', text: '[{"count":1}]', problem: 'not a JSON object' },
  { kind: 'null', text: 'null', problem: 'not a JSON object' },
  { kind: 'a text in a string', text: '"count"', problem: 'not a JSON object' },
  { kind: 'half a number for a whole one', text: '{"count":"1.5"}', problem: '/count must be integer' },
  { kind: 'a number that is none', text: '{"count":"five"}', problem: '/count must be integer' },
  { kind: 'a word for a number', text: '{"count":true}', problem: '/count must be integer' },
  { kind: 'a number for a word', text: '{"isOn":1}', problem: '/isOn must be boolean' },
  { kind: 'an object for a string', text: '{"name":{}}', problem: '/name must be string' },
  { kind: 'null in a list', text: '{"list":[null]}', problem: '/list/0 must be integer' },
  { kind: 'an unknown key', text: '{"other":1}', problem: '/ must NOT have additional properties' },
  { kind: 'a missing key', text: '{"inner":{}}', problem: "/inner must have required property 'count'" },
  { kind: 'null for what must be there', text: '{"inner":{"count":null}}', problem: '/inner/count must be integer' },
  { kind: 'another value', text: '{"mode":"c"}', problem: '/mode must be equal to one of the allowed values' },
  {
    kind: 'a number that would change when it is written again',
    text: '{"count":"1","ratio":0.12345678901234567890}',
    problem: '/count must be integer',
  },
])('$kind is wrong', ({ text, problem }) => {
  expect(call(text)).toEqual({ kind: 'wrong', problem })
})

test('a value with two meanings is not guessed at', () => {
  const schema = { properties: { a: { anyOf: [{ type: 'boolean' }, { type: 'string', enum: ['x'] }] } } }
  expect(call('{"a":5}', schema)).toMatchObject({ kind: 'wrong' })
  const two = { properties: { a: { anyOf: [{ type: 'null' }, { type: 'array' }] } } }
  expect(call('{"a":"null"}', two)).toEqual({ kind: 'sound', json: '{"a":null}' })
})

test('keys that objects inherit are keys like others', () => {
  const schema = { properties: { ['__proto__']: { type: 'integer' }, toString: { type: 'integer' } } }
  const text = '{"__proto__":"1","toString":"2"}'
  expect(
    verdictOf({
      text,
      schema: `{"properties":{"__proto__":{"type":"integer"},"toString":{"type":"integer"}}}`,
      isCall: true,
    }),
  ).toMatchObject({ kind: 'sound' })
  expect(call(text, schema)).toMatchObject({ kind: 'sound' })
  expect(Object.hasOwn(Object.prototype, 'toString')).toBe(true)
})

test.each([
  { kind: 'no schema', schema: null },
  { kind: 'a reference to nowhere', schema: { $ref: 'https://example.org/x' } },
  { kind: 'an unknown type', schema: { type: 'whatever' } },
  { kind: 'a broken pattern', schema: { properties: { a: { pattern: '(' } } } },
  { kind: 'too many levels', schema: Array.from({ length: 99 }).reduce<object>((inner) => ({ not: inner }), {}) },
  { kind: 'too long', schema: { description: 'x'.repeat(300_000), type: 'array' } },
  {
    kind: 'another dialect of schemas',
    schema: { $schema: 'https://example.org/own', $async: true, $id: 'a', id: 'b' },
  },
])('a schema that cannot be used asks for an object alone: $kind', ({ schema }) => {
  expect(call('{"a":1}', schema)).toEqual({ kind: 'sound', json: '{"a":1}' })
  expect(call('no', schema)).toEqual({ kind: 'wrong', problem: 'not a JSON object' })
})

test.each([
  { draft: '2020-12', schema: { properties: { a: { prefixItems: [{ type: 'integer' }], items: false } } } },
  { draft: '07', schema: { properties: { a: { items: [{ type: 'integer' }], additionalItems: false } } } },
  {
    draft: '07 with definitions',
    schema: { definitions: { x: { maxItems: 1 } }, properties: { a: { $ref: '#/definitions/x' } } },
  },
])('draft $draft is understood, whatever it is called', ({ schema }) => {
  for (const $schema of [
    undefined,
    'http://json-schema.org/draft-07/schema#',
    'https://json-schema.org/draft/2020-12/schema',
  ]) {
    expect(call('{"a":[1]}', { $schema, ...schema })).toMatchObject({ kind: 'sound' })
    expect(call('{"a":[1,2]}', { $schema, ...schema })).toMatchObject({ kind: 'wrong' })
  }
})

test('two schemas with one id are two schemas', () => {
  const schema = (type: string) => ({ $id: 'https://example.org/same', properties: { a: { type } } })
  expect(call('{"a":1}', schema('integer'))).toMatchObject({ kind: 'sound' })
  expect(call('{"a":[]}', schema('array'))).toMatchObject({ kind: 'sound' })
})

test.each([
  { text: '```json\n{"a":1}\n```', schema: null, verdict: { kind: 'sound', json: '{"a":1}' } },
  { text: '[1]', schema: null, verdict: { kind: 'wrong', problem: 'not a JSON object' } },
  { text: '', schema: null, verdict: { kind: 'wrong', problem: 'not a JSON object' } },
  { text: '[1]', schema: { type: 'array' }, verdict: { kind: 'sound', json: '[1]' } },
  { text: 'Sure!', schema: { type: 'array' }, verdict: { kind: 'wrong', problem: 'not JSON' } },
])('an answer that is to be JSON: $text', ({ text, schema, verdict }) => {
  expect(verdictOf({ text, schema: schema === null ? null : JSON.stringify(schema), isCall: false })).toEqual(verdict)
})
