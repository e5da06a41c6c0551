import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** The faults that real use found, by group: how many there are in each. A test that is about one begins with its name. */
const FAULTS = { A: 18, B: 16, C: 9, D: 7, E: 6, F: 3 }

const names = Object.entries(FAULTS).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, index) => `${group}${index + 1}`),
)
const TESTS = join(import.meta.dirname, '..')
/** The names at the beginning of a title: `A3: `, `A5, A4, B9: `, `C7 `. */
const TITLE = /['"`]((?:[A-F]\d{1,2}, )*[A-F]\d{1,2})(?:: | )/g

function rowsIn(file: string): string[] {
  const text = readFileSync(join(TESTS, file), 'utf8')
  return [...text.matchAll(TITLE)].flatMap(([, named = '']) => named.split(', '))
}

const rows = globSync('**/*.test.ts', { cwd: TESTS }).flatMap(rowsIn)

test.each(names)('%s has rows of its own', (name) => {
  expect(rows).toContain(name)
})
