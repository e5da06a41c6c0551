import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffOf, patched } from '../support/golden-diff.ts'

const text = fc.array(fc.constantFrom('a', 'b', '', '--- x', '+++ x', '@@ -1 +1 @@'), { minLength: 1, maxLength: 30 })
const files = fc
  .dictionary(fc.constantFrom('a/x', 'a/y', 'b'), text)
  .map((tree) => new Map(Object.entries(tree).map(([path, lines]) => [path, `${lines.join('\n')}\n`])))

test('a diff of files makes the ones out of the others', () => {
  fc.assert(
    fc.property(files, files, (before, after) => {
      expect([...patched(before, diffOf(before, after))].sort()).toEqual([...after].sort())
    }),
  )
})

test('a diff refuses a base that has changed', () => {
  const diff = diffOf(new Map([['a', 'one\ntwo\n']]), new Map([['a', 'one\nthree\n']]))
  expect(() => patched(new Map([['a', 'one\n2\n']]), diff)).toThrow('update-golden.ts')
})
