import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearlyJson } from '../../../syntax/json/nearly.ts'

test.each([
  { kind: 'a fence', text: '```json\n{"a":1}\n```', json: '{"a":1}' },
  { kind: 'a fence without a language', text: '```\n[1]\n```', json: '[1]' },
  { kind: 'words around a fence', text: 'Here you are:\n```json\n{"a":1}\n```\nDone.', json: '{"a":1}' },
  { kind: 'a fence in one line', text: '```{"a":1}```', json: '{"a":1}' },
  { kind: 'a comma too many', text: '{"a":[1,2,],}', json: '{"a":[1,2]}' },
  { kind: 'single quotes', text: `{'a':'say "it\\'s"'}`, json: '{"a":"say \\"it\'s\\""}' },
  { kind: 'an escaped single quote', text: `{"a":"it\\'s"}`, json: '{"a":"it\'s"}' },
  { kind: 'words of Python', text: '{"a":True,"b":[False,None]}', json: '{"a":true,"b":[false,null]}' },
  { kind: 'line breaks inside a string', text: '{"a":"x\n\ty"}', json: '{"a":"x\\n\\ty"}' },
  { kind: 'keys without quotes', text: '{a: 1, $b_2: {c: "d"}}', json: '{"a":1,"$b_2":{"c":"d"}}' },
  { kind: 'brackets missing at the end', text: '{"a":[{"b":"c"', json: '{"a":[{"b":"c"}]}' },
  { kind: 'a bracket missing after a number that ends', text: '{"a":[12]', json: '{"a":[12]}' },
  { kind: 'a bracket missing after a number and a space', text: '{"a":12\n', json: '{"a":12}' },
  { kind: 'the same twice', text: '{"a":1}{"a":1}', json: '{"a":1}' },
  { kind: 'nothing twice', text: '{}{}', json: '{}' },
  { kind: 'an empty object first', text: '{} {"a":1}', json: '{"a":1}' },
  { kind: 'large numbers', text: '{"a":12345678901234567890,}', json: '{"a":12345678901234567890}' },
  { kind: 'escapes', text: `{'a':"\\u00e9\\n\\\\"}`, json: '{"a":"\\u00e9\\n\\\\"}' },
])('$kind is read', ({ text, json }) => {
  expect(nearlyJson(text)).toBe(json)
})

test.each([
  { kind: 'nothing', text: ' ' },
  { kind: 'words', text: 'I cannot do that.' },
  { kind: 'two objects', text: '{"a":1}{"b":2}' },
  { kind: 'two fences', text: '```\n{"a":1}\n``` or ```\n{"a":2}\n```' },
  { kind: 'a string that is cut', text: '{"a":"x' },
  { kind: 'a value that is cut', text: '{"a":' },
  { kind: 'a key that is cut', text: '{"a"' },
  { kind: 'a member that is cut', text: '{"a":1,' },
  { kind: 'a word that is cut', text: '{"a":tru' },
  { kind: 'a number in an object that may be cut', text: '{"amount":12' },
  { kind: 'a number in a list that may be cut', text: '[1, -2.5' },
  { kind: 'a number further inside that may be cut', text: '{"a":[{"b":1e3' },
  { kind: 'a missing comma', text: '{"a":1 "b":2}' },
  { kind: 'a missing value', text: '{"a":,}' },
  { kind: 'the wrong bracket', text: '{"a":[1}' },
  { kind: 'a bracket too many', text: '{"a":1}}' },
  { kind: 'an unknown escape', text: String.raw`{"a":"\d"}` },
  { kind: 'half an escape', text: String.raw`{"a":"\u12"}` },
  { kind: 'no number', text: '{"a":01}' },
  { kind: 'what objects inherit', text: '{"a":toString}' },
  { kind: 'too many levels', text: '['.repeat(100_000) },
])('$kind is not guessed at', ({ text }) => {
  expect(nearlyJson(text)).toBeNull()
})

test('what is JSON means itself', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const read = nearlyJson(json)
      expect(read === null ? null : JSON.parse(read)).toEqual(JSON.parse(json))
    }),
  )
})

test('whatever is read is JSON, of any text', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    "'",
    '\\',
    'a',
    '1',
    'True',
    'null',
    '```',
    '\n',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (text) => {
      const read = nearlyJson(text.join(''))
      if (read !== null) expect(() => JSON.parse(read)).not.toThrow()
    }),
    { numRuns: 2_000 },
  )
})

test('a long string is read as it is', () => {
  const text = `{'a':'${'x'.repeat(1_000_000)}'}`
  expect(nearlyJson(text)?.length).toBe(text.length)
})
