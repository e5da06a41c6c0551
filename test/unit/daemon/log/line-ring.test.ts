import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLineRing } from '../../../../daemon/log/line-ring.ts'

const line = fc
  .string({ unit: fc.constantFrom('a', 'é', '€', '𝄞'), minLength: 1, maxLength: 12 })
  .filter((text) => text.isWellFormed())

test('holds a suffix of what was pushed, whole, and as much of it as the limits allow', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (lines, most) => {
      const ring = createLineRing(most, 160)
      const pushed: string[] = []
      for (const text of lines) {
        ring.push(text)
        pushed.push(text)
        const kept = ring.last(1_000)
        expect(kept).toEqual(pushed.slice(-kept.length))
        expect(kept.length).toBeGreaterThan(0)
        // a line is 48 bytes at most, and 72 may stay empty at the end of the buffer
        const isFull = kept.length === Math.min(most, pushed.length)
        const bytes = Buffer.byteLength(pushed.slice(-kept.length - 1).join(''))
        if (!isFull) expect(bytes).toBeGreaterThan(160 - 72 - 48)
        expect(ring.last(2)).toEqual(kept.slice(-2))
      }
    }),
  )
})

test('a line that could not fit is left out, and none is given for a count of zero', () => {
  const ring = createLineRing(10, 30)
  ring.push('short')
  ring.push('x'.repeat(11))
  expect(ring.last(5)).toEqual(['short'])
  expect(ring.last(0)).toEqual([])
  expect(ring.last(-1)).toEqual([])
})
