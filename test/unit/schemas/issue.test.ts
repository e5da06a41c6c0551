import { expect, test } from 'vitest'
import { z } from 'zod'
import { issueLines, issueWords } from '../../../schemas/words/issue.ts'

const shape = z.strictObject({
  name: z.string(),
  count: z.int().min(1, 'write 1 or more'),
  level: z.enum(['low', 'high']),
  gpu: z.strictObject({ kind: z.string() }),
  names: z.record(z.string().regex(/^[a-z]+$/, 'use lower-case letters'), z.boolean()),
  list: z.array(z.number()),
})
const right = { name: 'a', count: 1, level: 'low', gpu: { kind: 'x' }, names: {}, list: [] }

test.each([
  { name: 'a key too many', change: { more: 1 }, says: ['unknown key more'] },
  { name: 'a key too many inside', change: { gpu: { kind: 'x', id: 1 } }, says: ['unknown key gpu.id'] },
  { name: 'a key too few', change: { name: undefined }, says: ['name: is missing'] },
  { name: 'one of a few, missing', change: { level: undefined }, says: ['level: is missing; use low, high'] },
  { name: 'one of a few, another', change: { level: 'mid' }, says: ['level: is not one of: low, high'] },
  { name: 'another type', change: { name: 1 }, says: ['name: is not a string'] },
  { name: 'no object', change: { gpu: 'x' }, says: ['gpu: is not an object'] },
  { name: 'no map (C4)', change: { names: 'x' }, says: ['names: is not an object'] },
  { name: 'no list', change: { list: 1 }, says: ['list: is not an array'] },
  { name: 'no whole number', change: { count: 1.5 }, says: ['count: is not an integer'] },
  { name: 'too small', change: { count: 0 }, says: ['count: write 1 or more'] },
  { name: 'a bad name', change: { names: { A: true } }, says: ['names.A: use lower-case letters'] },
  {
    name: 'two at once',
    change: { count: 0, list: ['a'] },
    says: ['count: write 1 or more', 'list.0: is not a number'],
  },
])('$name', ({ change, says }) => {
  const value = { ...right, ...change }
  const read = shape.safeParse(JSON.parse(JSON.stringify(value)))
  expect(issueLines(read.error ?? { issues: [] }, JSON.parse(JSON.stringify(value)), 'body')).toEqual(says)
})

test('the value itself has the name that it is given', () => {
  const read = shape.safeParse('text')
  expect(issueLines(read.error ?? { issues: [] }, 'text', 'body')).toEqual(['body: is not an object'])
})

test.each([
  { name: 'an empty text', schema: z.string().min(1), value: '', says: 'write at least 1 character' },
  { name: 'a long text', schema: z.string().max(3), value: 'abcd', says: 'write at most 3 characters' },
  { name: 'an empty list', schema: z.array(z.string()).min(1), value: [], says: 'give at least 1 entry' },
  { name: 'a long list', schema: z.array(z.string()).max(2), value: ['', '', ''], says: 'give at most 2 entries' },
  { name: 'a small number', schema: z.int().min(1), value: 0, says: 'write at least 1' },
  { name: 'a number that must be more', schema: z.number().gt(1), value: 1, says: 'write more than 1' },
  { name: 'a large number', schema: z.number().lt(9), value: 9, says: 'write less than 9' },
  { name: 'no multiple', schema: z.number().multipleOf(2), value: 3, says: 'write a multiple of 2' },
  { name: 'no address', schema: z.email(), value: 'x', says: 'write an address such as name@example.org' },
  { name: 'no URL', schema: z.url(), value: 'x', says: 'write a URL such as https://example.org' },
  { name: 'no match', schema: z.string().regex(/^a/), value: 'b', says: 'does not have the expected form' },
  {
    name: 'none of two',
    schema: z.union([z.literal('a'), z.number()]),
    value: [],
    says: 'does not have any of the known forms',
  },
  { name: "the schema's own words", schema: z.string().min(1, 'say something'), value: '', says: 'say something' },
])('C5 no words of the validator: $name', ({ schema, value, says }) => {
  expect(issueLines(schema.safeParse(value).error ?? { issues: [] }, value, 'it')).toEqual([`it: ${says}`])
})

test.each([
  { format: 'toml', expected: 'a table' },
  { format: 'json', expected: 'an object' },
] as const)('types have the names of $format: $expected', ({ format, expected }) => {
  const value = { gpu: 'x' }
  const [issue] = z.object({ gpu: z.object({}) }).safeParse(value).error?.issues ?? []
  if (issue === undefined) throw new Error('it is wrong')
  expect(issueWords(issue, value.gpu, format)).toEqual({ kind: 'wrong-type', expected })
})
