import { expect, test } from 'vitest'
import { z } from 'zod'
import { issueLines } from '../../../schemas/words/issue.ts'

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
  { name: 'no table', change: { gpu: 'x' }, says: ['gpu: is not a table'] },
  { name: 'no map (C4)', change: { names: 'x' }, says: ['names: is not a table'] },
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
  expect(issueLines(read.error ?? { issues: [] }, 'text', 'body')).toEqual(['body: is not a table'])
})
