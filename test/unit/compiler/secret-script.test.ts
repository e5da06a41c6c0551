import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WRITE_SECRETS } from '../../../compiler/emit/systemd/secret-units.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-secrets-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()

/** Runs the script of the unit. @returns what it says, and the file that it wrote */
function write(secrets: Readonly<Record<string, string>>): { said: string; written: string | undefined } {
  const credentials = join(folder, 'credentials')
  mkdirSync(credentials)
  for (const [name, text] of Object.entries(secrets)) writeFileSync(join(credentials, name), text)
  const file = join(folder, 'environment')
  const env = { ...process.env, CREDENTIALS_DIRECTORY: credentials }
  const { stderr } = spawnSync('/bin/sh', ['-euc', WRITE_SECRETS, 'sh', file, group], { env, encoding: 'utf8' })
  return { said: stderr, written: existsSync(file) ? readFileSync(file, 'utf8') : undefined }
}

test('A14: each secret becomes one line, with and without a line end', () =>
  expect(write({ A: 'one\n', B: ' two = "x" \\n\n\n', C: 'three' })).toEqual({
    said: '',
    written: 'A=one\nB= two = "x" \\n\nC=three\n',
  }))

test.each([
  ['an empty secret', '', 'the secret for B is empty\n'],
  ['an empty line', '\n', 'the secret for B is empty\n'],
  ['two lines', 'sk-1\nsk-2\n', 'the secret for B has more than one line\n'],
  ['a second line without an end', 'sk-1\nsk-2', 'the secret for B has more than one line\n'],
  ['a line after an empty one', '\nsk-2\n', 'the secret for B is empty\n'],
])('A14: %s is refused by its name, and nothing is written', (_, text, said) =>
  expect(write({ A: 'one', B: text })).toEqual({ said, written: undefined }),
)
