import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { unifiedDiff } from '../../../ctl/output/unified-diff.ts'
import { sampled } from '../../support/effort.ts'

const folder = mkdtempSync(join(tmpdir(), 'gate-diff-'))
afterAll(() => rmSync(folder, { recursive: true }))
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', '', '-x', '+y', ' '), { maxLength: 30 })
  .chain((lines) => fc.constantFrom(lines.join('\n'), lines.map((line) => `${line}\n`).join('')))

test('patch(1) turns any text into any other by it', () => {
  const file = join(folder, 'f')
  fc.assert(
    fc.property(text, text, (before, after) => {
      fc.pre(before !== after)
      writeFileSync(file, before)
      const diff = unifiedDiff(before, after, { before: 'f', after: 'f' })
      const run = spawnSync('patch', ['--silent', '--fuzz=0', file], { input: `${diff}\n`, encoding: 'utf8' })
      expect(run).toMatchObject({ status: 0, stdout: '' })
      expect(readFileSync(file, { encoding: 'utf8', flag: 'a+' })).toBe(after)
      rmSync(file, { force: true })
    }),
    { numRuns: sampled(40, 150) },
  )
})

test('a block too large to compare is shown as replaced', () => {
  const lines = (word: string) => Array.from({ length: 2_500 }, (_, i) => `${word}${i}\n`).join('')
  const diff = unifiedDiff(`same\n${lines('a')}`, `same\n${lines('b')}`, { before: 'f', after: 'f' })
  expect(diff.split('\n')).toHaveLength(3 + 1 + 5_000)
})
