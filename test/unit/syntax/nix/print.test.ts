// biome-ignore-all lint/suspicious/noTemplateCurlyInString: interpolation of Nix is what is tested
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boolean, code, integer, list, type Nix, nixText, number, set, str } from '../../../../syntax/nix/print.ts'
import { evaluateNix, hasNix } from '../../../support/nix.ts'

const SIGNS = [
  '$',
  '{',
  '}',
  '"',
  "'",
  '\\',
  '\n',
  '\r',
  '\t',
  ';',
  '%',
  '#',
  '\u0001',
  '\u007f',
  '\u2028',
  '😀',
  ' ',
  'a',
]
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...SIGNS) }),
  fc.constantFrom('${1+1}', '$${1}', '\\${1}', "''${1}''", '"', '$', '$$', '\\', '${', '\r\n', '', 'rec', 'or', 'a.b'),
)
const fitsNix = (text: string): boolean => !text.includes('\0')
const sample = (count: number): string[] => fc.sample(nasty, count).filter(fitsNix)

/** Evaluated together: one process costs more than a thousand texts. */
const evaluate = (values: readonly Nix[]): unknown => evaluateNix(nixText(list(values)))

describe.skipIf(!hasNix)('nix-instantiate (needs nix-bin) reads back', () => {
  test('any text as it is', () => {
    const texts = sample(3_000)
    expect(evaluate(texts.map((text) => str(text)))).toEqual(texts)
  })

  test('any text cut into parts as one text', () => {
    const texts = fc.sample(fc.array(nasty, { maxLength: 4 }), 500).map((parts) => parts.filter(fitsNix))
    expect(evaluate(texts.map((parts) => str(...parts)))).toEqual(texts.map((parts) => parts.join('')))
  })

  test('an interpolation between any two texts', () => {
    const [before, after] = [sample(500), sample(500)]
    const pairs = before
      .slice(0, Math.min(before.length, after.length))
      .map((text, i): [string, string] => [text, after[i] ?? ''])
    const values = pairs.map(([a, b]) => str(a, code('toString (1 + 1)'), b))
    expect(evaluate(values)).toEqual(pairs.map(([a, b]) => `${a}2${b}`))
  })

  test('any names of attributes, keywords too', () => {
    const names = [...new Set(sample(1_000))].sort()
    const value = set(names.map((name, i) => ({ path: [name], value: integer(i) })))
    expect(evaluate([value])).toEqual([Object.fromEntries(names.map((name, i) => [name, i]))])
  })

  test('numbers, booleans and lists', () => {
    const numbers = [0.5, -0.5, 1e21, 1.5e-7, 1e-300, 0, -3]
    expect(evaluate(numbers.map(number))).toEqual(numbers)
    const values = [integer(-1), boolean(false), list([]), list([list([integer(1)]), set([])]), str()]
    expect(evaluate(values)).toEqual([-1, false, [], [[1], {}], ''])
  })
})

test.each(['\0', 'a\0b', '\ud800', '\udc00x'])('refuses what no Nix text can hold: %j', (text) => {
  expect(() => nixText(str(text))).toThrow(RangeError)
})
