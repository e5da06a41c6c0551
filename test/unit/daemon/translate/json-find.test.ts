import fc from 'fast-check'
import { expect, test } from 'vitest'
import { holds, mayHold, onlyOutermost, textsUnder } from '../../../../daemon/translate/json-find.ts'

const usage = '{"prompt_tokens":3,"details":{"a":[1,{"b":"}"}]}}'

test.each([
  { name: 'at the end', json: `{"id":"x","usage":${usage}}`, found: true },
  { name: 'before other keys', json: `{"usage":${usage},"id":"x","timings":{"ms":[1,2]}}`, found: true },
  { name: 'with space around everything', json: ` { "usage" :\n ${usage} , "id" : 1 } \n`, found: true },
  { name: 'null', json: '{"usage":null,"id":1}', found: true },
  { name: 'absent', json: '{"id":1}', found: false },
  { name: 'inside another object', json: `{"x":{"usage":${usage}}}`, found: false },
  { name: 'inside an array', json: `[{"usage":${usage}}]`, found: false },
  { name: 'twice, the last time', json: `{"usage":1,"usage":${usage}}`, found: true },
  { name: 'twice, the last time inside', json: `{"usage":1,"x":{"usage":${usage}}}`, found: false },
  { name: 'after itself spelled with an escape', json: `{"\\u0075sage":2,"usage":${usage}}`, found: true },
  { name: 'after much else', json: `{"x":"${'usage é '.repeat(2_000)}","usage":${usage}}`, found: true },
  { name: 'before much else', json: `{"usage":1,"x":"${'é'.repeat(4_000)}"}`, found: false },
  { name: 'a value', json: '{"object":"usage"}', found: false },
  { name: 'the end of a text', json: '{"content":"say \\"usage","x":1}', found: false },
  { name: 'spelled with an escape', json: '{"usage":1,"\\u0075sage":2}', found: false },
  { name: 'before something else than the end', json: `{"usage":${usage}} {}`, found: false },
])('finds a key $name: $found', ({ json, found }) => {
  const expected = found ? { usage: (JSON.parse(json) as { usage: unknown }).usage } : null
  expect(onlyOutermost(Buffer.from(json), 'usage')).toEqual(expected)
})

/** Objects whose keys and texts are often the key that is looked for, or look like it. */
const word = fc.constantFrom('usage', '"usage"', '"usage":{}', '\\"usage', 'usagë', '}', '{', ',', '\\', 'x')
/** Without `\\"usage`: after it, V8's JSON.parse reads the key `"usage"` as that one (Node 24.21). */
const key = word.filter((one) => !one.startsWith('\\"'))
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    word,
    fc.integer(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
})).value

test('says what JSON.parse says, or nothing, of any JSON', () => {
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 1), (input, indent) => {
      const found = onlyOutermost(Buffer.from(JSON.stringify(input, undefined, indent)), 'usage')
      if (found !== null) expect(found).toEqual({ usage: (input as { usage: unknown }).usage })
    }),
    { numRuns: 2_000 },
  )
})

test('finds the key in any object that has it once and last', () => {
  const other = fc.dictionary(fc.constantFrom('id', 'choices', 'created'), fc.jsonValue(), { maxKeys: 3 })
  fc.assert(
    fc.property(other, fc.jsonValue(), (rest, last) => {
      const text = JSON.stringify({ ...rest, usage: last })
      fc.pre(text.split('"usage"').length === 2 && !/\\u00[67]/.test(text) && text.length < 4_000)
      expect(onlyOutermost(Buffer.from(text), 'usage')).toEqual({
        usage: (JSON.parse(text) as { usage: unknown }).usage,
      })
    }),
    {
      numRuns: 2_000,
      examples: [
        [{}, { '\\u': 0 }],
        [{}, 'é\u0001'],
        [{}, '\ud800'],
      ],
    },
  )
})

/** A text with some of its characters escaped. */
const spelled = (text: string, isEscaped: readonly boolean[]) =>
  `"${Array.from(text, (one, at) => (isEscaped[at] === true ? `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}` : one)).join('')}"`

test('finds every text under a key, however it is spelled, and no other', () => {
  const spelling = fc.array(fc.boolean(), { minLength: 7, maxLength: 7 })
  fc.assert(
    fc.property(spelling, spelling, value, (key, id, rest) => {
      const json = `{"a":[${JSON.stringify(rest)},{${spelled('file_id', key)} : ${spelled('file-ab', id)}, "b":"no"}]}`
      expect(mayHold(Buffer.from(json), '"file_id"')).toBe(true)
      expect(textsUnder(json, new Set(['file_id']))).toEqual(['file-ab'])
    }),
  )
})

test.each([
  { json: '{"file_ids":["a","b"],"c":"d"}', texts: ['a', 'b'] },
  { json: '{"file_ids":"a","file_ids":["b"]}', texts: ['a', 'b'] },
  { json: '{"text":"\\"file_ids\\":\\"a\\""}', texts: [] },
  { json: '["file_ids","a"]', texts: [] },
  { json: '{"file_ids":{"a":"b"}}', texts: [] },
])('the texts under a key in $json', ({ json, texts }) => {
  expect(textsUnder(json, new Set(['file_ids']))).toEqual(texts)
})

test.each(['\\u0060', '\\u00e9', '\\u003c', '\\u2019', 'file-id'])('%s hides no word', (text) => {
  expect(mayHold(Buffer.from(`{"text":"${text}"}`), 'file_id')).toBe(false)
})

test.each([
  { name: 'no escape', before: 'u00u00 \\\\ ' },
  { name: 'escapes of other letters', before: '\\u0061\\u0062' },
  { name: 'more of them than are looked at', before: 'u00'.repeat(1_001) },
])('a word with an escaped letter is found after what is $name', ({ before }) => {
  expect(mayHold(Buffer.from(`{"text":"${before}","\\u0066ile_ids":1}`), 'file_ids')).toBe(true)
})

const words = ['error"', 'thought_signature"', 'reasoning_details"', '_id', 'u00', 'JnYXRlIjpb']
const part = fc.constantFrom(
  ...words,
  ...words.map((text) => text.slice(1)),
  ...words.map((text) => text.slice(0, -1)),
  '_',
  '"',
  'é',
)

test.each([
  { size: 'short bytes', padding: '' },
  { size: 'long bytes', padding: 'é'.repeat(4_096) },
])('$size hold a word just when their text does', ({ padding }) => {
  fc.assert(
    fc.property(fc.array(part), fc.constantFrom(...words), fc.boolean(), (parts, sought, isLast) => {
      const text = isLast ? padding + parts.join('') : parts.join('') + padding
      expect(holds(Buffer.from(text), sought)).toBe(text.includes(sought))
    }),
  )
})
