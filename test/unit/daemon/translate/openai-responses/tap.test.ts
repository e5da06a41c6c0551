import { expect, test } from 'vitest'
import { tapOf } from '../../../../../daemon/translate/openai-responses/tap.ts'

function foundIn(chunks: readonly Buffer[]): readonly unknown[] {
  const found: unknown[] = []
  const tap = tapOf((response) => found.push(response['id']))
  for (const chunk of chunks) tap.feed(chunk)
  tap.end()
  return found
}

const [start, end] = [Buffer.from('{"id":"a","text":"'), Buffer.from('"}')]

test('a whole answer is found in its chunks', () => {
  expect(foundIn([start, Buffer.from('x'), end])).toEqual(['a'])
})

test('an answer that is longer than what is kept takes no memory, however it goes on', () => {
  const mebibyte = Buffer.alloc(2 ** 20, 'x')
  expect(foundIn([start, ...Array.from({ length: 32 }, () => mebibyte), Buffer.from('data: {}\n\n'), end])).toEqual([])
})
