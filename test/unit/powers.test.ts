import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isHeld, POWERS } from '../../scripts/powers.ts'

const root = join(import.meta.dirname, '../..')
const sources = new Map<string, string>()

function source(file: string): string {
  const path = join(root, file)
  const text = sources.get(file) ?? (existsSync(path) ? readFileSync(path, 'utf8') : '')
  sources.set(file, text)
  return text
}

/** As a title is written in the source, whichever quotes it has. */
const written = (title: string) => [title, title.replaceAll("'", "\\'"), title.replaceAll('"', '\\"')]

const tried = POWERS.filter(isHeld).flatMap(({ attacker, never, tests }) =>
  tests.map((named) => {
    const [, file = `test/lab/attackers/${attacker}.ts`, title = named] = /^(test\/\S+): (.*)$/.exec(named) ?? []
    return { attacker, never, file, title }
  }),
)

test.each(tried)('$attacker may never $never: $file tries', ({ file, title }) => {
  expect(written(title).some((text) => source(file).includes(text))).toBe(true)
})

test('whatever holds is tried', () => {
  expect(POWERS.filter(isHeld).filter(({ tests }) => tests.length === 0)).toEqual([])
})
