import fc from 'fast-check'
import { expect, test } from 'vitest'
import { written } from '../../../../daemon/translate/json-splice.ts'
import { outlineOf } from '../../../../syntax/json/outline.ts'

test('what is written is what JSON.stringify writes, with its outline', () => {
  const key = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text !== '__proto__')
  const value = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 8, noNullPrototype: true }), (object) => {
      const { body, outline } = written(object)
      expect(body.toString()).toBe(Buffer.from(JSON.stringify(object)).toString())
      expect(outline).toEqual(outlineOf(body))
    }),
  )
})
