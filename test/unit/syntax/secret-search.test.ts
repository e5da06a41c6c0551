import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSearch } from '../../../syntax/secret/search.ts'

const bytes = (maxLength: number, minLength = 0) =>
  fc.uint8Array({ minLength, maxLength, max: 3 }).map((array) => Buffer.from(array))

test('finds what Buffer.includes finds, of several patterns', () => {
  fc.assert(
    fc.property(fc.array(bytes(6, 1), { minLength: 1, maxLength: 4 }), bytes(60), (patterns, chunk) => {
      expect(createSearch(patterns)(chunk)).toBe(patterns.some((pattern) => chunk.includes(pattern)))
    }),
    { numRuns: 2_000 },
  )
})

test('finds each pattern at any place, also one that is longer than the window', () => {
  const patterns = [Buffer.alloc(300, 'ab'), Buffer.from(`${'ab'.repeat(140)}c`)]
  const isIn = createSearch(patterns)
  for (const pattern of patterns) {
    for (let before = 0; before < 40; before += 1) {
      const text = Buffer.concat([Buffer.alloc(before, 'xab'), pattern, Buffer.from('y')])
      expect(isIn(text)).toBe(true)
      expect(isIn(text.subarray(0, before + pattern.length))).toBe(true)
      expect(isIn(pattern.subarray(0, -1))).toBe(false)
    }
  }
  expect(isIn(Buffer.alloc(0))).toBe(false)
})
