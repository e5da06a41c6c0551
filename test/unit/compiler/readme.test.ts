import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { GOLDEN, goldenFiles } from '../../support/golden.ts'

test('every output names each of its files and where it belongs', () => {
  const files = goldenFiles('liminati')
  const targets = new Set(files.map(({ path }) => path.split('/')[0]).filter((first) => first !== 'gate.lock.json'))
  expect(targets.size).toBeGreaterThan(3)
  for (const target of targets) {
    const readme = files.find(({ path }) => path === `${target}/README.txt`)?.text ?? ''
    for (const { path, install } of files.filter((file) => file.path.startsWith(`${target}/`))) {
      if (path === `${target}/README.txt`) continue
      expect(readme).toContain(`  ${path.slice(`${target}/`.length)} -> ${install ?? 'stays here'}`)
    }
    expect(readme).toContain('Check, in this directory:\n  ')
  }
})

test('a target that makes nothing has no README', () => {
  const text = readFileSync(join(GOLDEN, 'minimal', 'spec.toml'), 'utf8')
  const result = compile(text, { targets: ['quadlet'] })
  expect(result.kind === 'compiled' && result.files.map(({ path }) => path)).toEqual(['gate.lock.json'])
})
