import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LEDGER, SEEDS } from '../../seeds/ledger.ts'

const root = join(import.meta.dirname, '../../..')
const proven = LEDGER.flatMap((row) =>
  'proof' in row ? [{ shown: row.shown, file: row.proof[0], title: row.proof[1] }] : [],
)

test.each(proven)('$shown is shown by $file', ({ file, title }) => {
  expect(existsSync(join(root, file)), file).toBe(true)
  expect(readFileSync(join(root, file), 'utf8')).toContain(title)
})

test('every row has an owner, and none appears twice', () => {
  const unowned = LEDGER.filter((row) => ['proof', 'owed', 'declined'].filter((key) => key in row).length !== 1)
  expect(unowned).toEqual([])
  const names = LEDGER.map(({ seed, shown }) => `${seed} ${shown}`)
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
})

test.each(Object.keys(SEEDS))('%s has rows', (seed) => {
  expect(LEDGER.filter((row) => row.seed === seed).length).toBeGreaterThan(10)
})
