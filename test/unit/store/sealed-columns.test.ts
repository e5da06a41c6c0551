// A table whose sealed column no rotation knows would be unreadable after one.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../../store/sqlite')
const source = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(root, name), 'utf8'))
  .join('\n')

test('every sealed column of a table is one that a rotation seals anew', () => {
  const tables = [...source.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+) \(([\s\S]*?)\) STRICT/g)]
  const kept = tables.flatMap(([, table = '', columns = '']) =>
    [...columns.matchAll(/^\s*(\w+) BLOB\b/gm)].map(([, column = '']) => `${table}.${column}`),
  )
  const known = [...source.matchAll(/table: '(\w+)',\s*column: '(\w+)'/g)].map(
    ([, table, column]) => `${table}.${column}`,
  )
  expect(kept.toSorted()).toEqual(known.toSorted())
  expect(kept.length).toBeGreaterThan(2)
})
