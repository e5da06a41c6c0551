import fc from 'fast-check'
import { expect, test } from 'vitest'
import { refreshTexts } from '../../../../../daemon/auth/device/refresh-text.ts'

const texts = refreshTexts(Buffer.alloc(32, 1))
const others = refreshTexts(Buffer.alloc(32, 2))
const claims = fc.record({ id: fc.uuid(), generation: fc.integer({ min: 0, max: 999_999_999 }) })

test('what was made is read, by the same key alone', () => {
  fc.assert(
    fc.property(claims, (made) => {
      expect(texts.read(texts.make(made))).toEqual(made)
      expect(others.read(texts.make(made))).toBeNull()
    }),
  )
})

test('no other character anywhere makes a text that is read', () => {
  fc.assert(
    fc.property(claims, fc.nat(), fc.constantFrom('0', 'f', '_', '-', 'A', '\n', ''), (made, place, other) => {
      const text = texts.make(made)
      const at = place % text.length
      const changed = text.slice(0, at) + other + text.slice(at + 1)
      if (changed !== text) expect(texts.read(changed)).toBeNull()
    }),
  )
})

test('no text makes it fail', () => {
  fc.assert(fc.property(fc.string(), (text) => texts.read(text) === null))
})
