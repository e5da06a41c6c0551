import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changedPaths } from '../../../config/changes.ts'
import { leafPaths, sameValue, type Tree, valueAt } from '../../../syntax/tree.ts'

test.each<{ name: string; before: Tree; after: Tree; changed: readonly string[] }>([
  { name: 'nothing', before: { a: { b: 1 } }, after: { a: { b: 1 } }, changed: [] },
  { name: 'a value', before: { a: { b: 1, c: 2 } }, after: { a: { b: 3, c: 2 } }, changed: ['a.b'] },
  { name: 'an entry more', before: { a: {} }, after: { a: { b: { c: 1, d: [] } } }, changed: ['a.b.c', 'a.b.d'] },
  { name: 'an entry less', before: { a: { b: { c: 1 } } }, after: {}, changed: ['a.b.c'] },
  { name: 'a list', before: { a: [1, 2] }, after: { a: [2, 1] }, changed: ['a'] },
  { name: 'a table for a value', before: { a: 1 }, after: { a: { b: 1 } }, changed: ['a', 'a.b'] },
])('$name', ({ before, after, changed }) => {
  expect(changedPaths(before, after).map((path) => path.join('.'))).toEqual(changed)
})

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(1, 'x', true),
    fc.array(fc.nat(2), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'x.y'), tie('any'), { maxKeys: 3 }),
  ),
})).any
const tree = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value) as fc.Arbitrary<Tree>

test('every leaf of either side whose value differs, and no other', () => {
  fc.assert(
    fc.property(tree, tree, (before, after) => {
      const leaves = [...leafPaths(before), ...leafPaths(after)]
      const differ = leaves.filter((path) => !sameValue(valueAt(before, path), valueAt(after, path)))
      const texts = (paths: readonly (readonly string[])[]) =>
        [...new Set(paths.map((path) => JSON.stringify(path)))].sort()
      expect(texts(changedPaths(before, after))).toEqual(texts(differ))
    }),
  )
})
