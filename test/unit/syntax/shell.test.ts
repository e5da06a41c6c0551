import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allOf, sh, shellWord } from '../../../syntax/shell/print.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { nastyText } from '../../support/nasty-text.ts'
import { hasProgram } from '../../support/programs.ts'

test("what is written is the shell's, what is put in is a word each", () => {
  const [owner, path] = ['a b', "/x/it's $(id)"]
  expect(sh`chown -h ${owner} ${path} && ls ${['-l', path]} >/dev/null`).toBe(
    `chown -h 'a b' '/x/it'\\''s $(id)' && ls -l '/x/it'\\''s $(id)' >/dev/null`,
  )
  expect(allOf(sh`true`, sh`kill ${7}`)).toBe('true && kill 7')
  expect(shellWord('')).toBe("''")
})

test.skipIf(!hasProgram('bash'))(
  'bash (needs bash) reads any text back as one word, and a terminal acts on none',
  () => {
    const texts = fc.sample(fc.oneof(nastyText, fc.string({ unit: 'binary' })), { numRuns: 2_000, seed: 11 })
    const readable = texts.filter((text) => text.isWellFormed() && !text.includes('\0'))
    const words = readable.map(shellWord)
    for (const word of words) expect(escapeControls(word)).toBe(word)
    const script = words.map((word) => `printf '%s\\0' ${word}\n`).join('')
    const said = execFileSync('bash', ['--norc'], { input: script, encoding: 'utf8', env: { LC_ALL: 'C.UTF-8' } })
    expect(said.split('\0').slice(0, -1)).toEqual(readable)
  },
)
