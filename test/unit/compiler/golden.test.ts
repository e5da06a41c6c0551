import { expect, test } from 'vitest'
import { compileGolden, expectedGolden, goldenNames } from '../../support/golden.ts'

const names = goldenNames()

test('there are specs to compare', () => expect(names.length).toBeGreaterThan(20))

test.each(names)('%s compiles to what was reviewed (node scripts/update-golden.ts rewrites it)', (name) => {
  expect(Object.fromEntries(compileGolden(name))).toEqual(Object.fromEntries(expectedGolden(name)))
})
