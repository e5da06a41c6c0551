import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DER, der, readDer } from '../../../syntax/der/der.ts'

test('any values are read back as they were written', () => {
  const tag = fc.integer({ min: 1, max: 0xfe }).filter((octet) => (octet & 0x1f) !== 0x1f)
  const contents = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(fc.array(fc.record({ tag, contents }), { maxLength: 5 }), (values) => {
      const written = Buffer.concat(values.map((value) => der(value.tag, value.contents)))
      expect(readDer(written).map((value) => ({ tag: value.tag, contents: [...value.contents] }))).toEqual(
        values.map((value) => ({ tag: value.tag, contents: [...value.contents] })),
      )
    }),
  )
})

test.each([
  { length: 127, octets: [127] },
  { length: 128, octets: [0x81, 128] },
  { length: 256, octets: [0x82, 1, 0] },
  { length: 65_536, octets: [0x83, 1, 0, 0] },
])('a length of $length is written in as few octets as it needs', ({ length, octets }) => {
  expect([...der(DER.octetString, new Uint8Array(length)).subarray(1, 1 + octets.length)]).toEqual(octets)
})

test.each([
  { name: 'a length without an end', bytes: [0x30, 0x80, 0, 0] },
  { name: 'contents that are cut off', bytes: [0x04, 3, 1, 2] },
  { name: 'a tag alone', bytes: [0x30] },
  { name: 'a length of too many octets', bytes: [0x04, 0x85, 1, 1, 1, 1, 1] },
  { name: 'a length that is cut off', bytes: [0x04, 0x82, 1] },
])('$name is refused', ({ bytes }) => expect(() => readDer(Uint8Array.from(bytes))).toThrow(RangeError))
