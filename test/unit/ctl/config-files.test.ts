import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { API_ANSWERS } from '../../../schemas/api/answers.ts'
import { startAdminDaemon } from '../../support/admin-daemon.ts'
import { gatectl } from '../../support/gatectl.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-files-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const validated = (stdout: string) => API_ANSWERS['POST /api/admin/config/validate'].parse(JSON.parse(stdout))

test.each([
  { name: 'an empty file', text: '', code: 0, says: /^no problems\n$/ },
  { name: 'a right file', text: '[log]\nlevel = "debug"\n', code: 0, says: /^no problems\n$/ },
  {
    name: 'a wrong value',
    text: '[log]\nlevel = "debgu"\n',
    code: 3,
    says: /FILE:2:\d+: .*\n {2}did you mean "debug"\?\n/,
  },
  { name: 'an unknown key', text: '[sever]\nport = 1\n', code: 3, says: /FILE:1:\d+: .*\n {2}did you mean server/ },
  { name: 'no TOML', text: '[log\n', code: 3, says: /FILE:1:/ },
  {
    name: 'a target that does not exist',
    text: '[models.fast]\ntargets = [{ upstream = "nowhere" }]\n',
    code: 3,
    says: /nowhere/,
  },
])('config validate FILE needs no daemon: $name', async ({ text, code, says }) => {
  const file = join(folder, 'config.toml')
  writeFileSync(file, text)
  const run = await gatectl(['config', 'validate', file])
  expect(run.stderr).toBe('')
  expect(run.stdout.replaceAll(file, 'FILE')).toMatch(says)
  expect(run.code).toBe(code)
  const alias = await gatectl(['gateway', 'validate-config', file, '--json'])
  expect(validated(alias.stdout).valid).toBe(code === 0)
  expect(alias.code).toBe(code)
})

test('config validate - reads standard input', async () => {
  const run = await gatectl(['config', 'validate', '-'], { stdin: 'log.level = 3\n' })
  expect(run.stdout).toMatch(/^standard input:1:/)
  expect(run.code).toBe(3)
})

test('config validate says when a file cannot be read', async () => {
  const run = await gatectl(['config', 'validate', join(folder, 'absent')])
  expect(run).toMatchObject({ code: 1, stdout: '' })
  expect(run.stderr).toMatch(/absent: not there\n/)
})

test('config validate refuses a file that the daemon could not read, and one that never ends', async () => {
  const file = join(folder, 'latin1.toml')
  writeFileSync(file, Buffer.from('# caf\xe9\n', 'latin1'))
  const other = await gatectl(['config', 'validate', file])
  expect(other).toMatchObject({ code: 1, stdout: '' })
  expect(other.stderr).toMatch(/latin1\.toml: is not text\n {2}write it in UTF-8\n/)
  const endless = await gatectl(['config', 'validate', '/dev/zero'])
  expect(endless).toMatchObject({ code: 1, stdout: '' })
  expect(endless.stderr).toMatch(/zero: is larger than 16 MiB\n/)
})

test('config diff lists edits, and exits with 3 only when asked to check', async () => {
  const daemon = await startAdminDaemon()
  try {
    const env = { GATE_ADMIN_SOCKET: daemon.socketPath }
    expect(await gatectl(['config', 'diff', '--check'], { env })).toMatchObject({
      code: 0,
      stdout: 'the runtime configuration changes nothing\n',
    })
    await gatectl(['config', 'set', 'server.port', '5000'], { env })
    const diff = await gatectl(['config', 'diff'], { env })
    expect(diff.stdout).toBe('KEY          BELOW  RUNTIME  IN FORCE\nserver.port  4000   5000     runtime\n')
    expect(diff.code).toBe(0)
    expect((await gatectl(['config', 'diff', '--check'], { env })).code).toBe(3)
  } finally {
    await daemon.stop()
  }
})
