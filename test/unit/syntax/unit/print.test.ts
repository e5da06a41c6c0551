import fc from 'fast-check'
import { expect, test } from 'vitest'
import { argument, command, printUnit, text, type Value, words } from '../../../../syntax/unit/print.ts'
import { readUnit, readWords } from '../../../support/unit-reader.ts'

const one = (value: Value) =>
  printUnit({ origin: [], comment: [], sections: [{ name: 'S', entries: [{ key: 'K', value }] }] }).text

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '%',
      '$',
      '{',
      '}',
      '"',
      "'",
      '\\',
      ';',
      ']',
      '[',
      '#',
      '\n',
      '\r',
      '\0',
      ' ',
      '\t',
      'a',
      '😀',
      '\u0085',
    ),
  }),
)
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const hasControl = (value: string): boolean => /[\u0000-\u001f\u007f]/.test(value)

test('any words read back as they are, as the only directive, or are refused', () => {
  fc.assert(
    fc.property(fc.array(nasty, { minLength: 1, maxLength: 4 }), fc.constantFrom(words, command), (values, form) => {
      if (values.some(hasControl)) {
        expect(() => one(form(...values))).toThrow(RangeError)
        return
      }
      const unit = readUnit(one(form(...values)))
      expect(unit).toHaveLength(1)
      expect(readWords(unit[0]?.value ?? '', { dollars: form === command })).toEqual(values)
    }),
    { numRuns: 2_000 },
  )
})

test('any text reads back as it is, as the only directive, or is refused', () => {
  fc.assert(
    fc.property(nasty, fc.constantFrom(text, argument), (value, form) => {
      if (hasControl(value) || value !== value.trim() || value.endsWith('\\')) {
        expect(() => one(form(value))).toThrow(RangeError)
        return
      }
      const unit = readUnit(one(form(value)))
      const unescaped = unit[0]?.value.replaceAll('%%', '%')
      expect(unit).toHaveLength(1)
      expect(form === argument ? unescaped?.replaceAll('$$', '$') : unescaped).toBe(value)
    }),
    { numRuns: 2_000 },
  )
})
