import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyPathText, parseKeyPath } from '../../../schemas/words/key-path.ts'
import { readToml } from '../../../syntax/toml/read.ts'

describe('B8: paths of keys have parts, not dots', () => {
  test.each([
    { text: 'server.port', path: ['server', 'port'] },
    { text: 'models."gpt-4.1".targets', path: ['models', 'gpt-4.1', 'targets'] },
    { text: "models.'qwen2.5:7b'.targets", path: ['models', 'qwen2.5:7b', 'targets'] },
    { text: 'models.GPT-4o', path: ['models', 'GPT-4o'] },
    { text: 'models.org/model.targets', path: ['models', 'org/model', 'targets'] },
    { text: String.raw`a."\"\\\u00e9"`, path: ['a', '"\\é'] },
    { text: '""', path: [''] },
  ])('B8 $text', ({ text, path }) => {
    expect(parseKeyPath(text)).toEqual(path)
  })

  test.each(['', '.', 'a.', '.a', 'a..b', 'a."b', "a.'b", 'a."b"c', 'a."b"."', String.raw`a."\q"`])(
    'B8 %j is not a path',
    (text) => {
      expect(parseKeyPath(text)).toBeUndefined()
    },
  )

  const paths = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string()), {
    minLength: 1,
  })

  test('B8 what is printed is read back, whatever the parts are', () => {
    fc.assert(
      fc.property(paths, (path) => {
        expect(parseKeyPath(keyPathText(path))).toEqual(path)
      }),
    )
  })

  test('B8 TOML reads the same key', () => {
    fc.assert(
      fc.property(
        paths.filter((path) => path.every((part) => part.isWellFormed() && part !== '__proto__')),
        (path) => {
          const read = readToml(`${keyPathText(path)} = 1`)
          const expected = path.reduceRight<unknown>((value, part) => Object.fromEntries([[part, value]]), 1)
          expect(JSON.stringify('values' in read ? read.values : read)).toBe(JSON.stringify(expected))
        },
      ),
    )
  })
})
