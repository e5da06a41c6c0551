// --layout and --settings, as every command that compiles a spec takes them.
import { expect, test } from 'vitest'
import { readLayout } from '../../../ctl/commands/spec/layout-input.ts'
import { readSettings } from '../../../ctl/commands/spec/settings-input.ts'
import { Failure } from '../../../ctl/failure.ts'
import { gatectl } from '../../support/gatectl.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

async function refusal(read: (file: string) => unknown, text: string | undefined): Promise<string> {
  const directory = temporaryDirectory()
  const file = directory.file('input.json')
  try {
    if (text !== undefined) directory.write('input.json', text)
    await read(file)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return error.problem.detail.replaceAll(file, 'FILE')
  } finally {
    directory.remove()
  }
  return expect.unreachable('it was read')
}

test.each([
  ['a file that is not there', undefined, 'FILE: not there'],
  ['no JSON', '{', 'FILE: not valid JSON'],
  ['no object', '[]', 'FILE: layout: is not an object'],
  ['an unknown table', '{"paths":{}}', 'FILE: unknown key paths'],
  ['an unknown key', '{"programs":{"nodejs":"/x"}}', 'FILE: unknown key programs.nodejs'],
  [
    'a relative path',
    '{"programs":{"node":"node"}}',
    'FILE: programs.node: expected an absolute path without control characters',
  ],
  ['a line break', '{"programs":{"node":"/a\\nUser=root"}}', /^FILE: programs\.node: expected an absolute path/],
  ['two mistakes', '{"a":1,"programs":{"b":1}}', 'FILE: unknown key programs.b; unknown key a'],
])('--layout refuses %s', async (_, text, says) => {
  expect(await refusal(readLayout, text)).toMatch(says)
})

test.each([
  ['a file that is not there', undefined, 'FILE: not there'],
  ['no JSON', '{', /^FILE: is no.* JSON/],
  ['no object', '[]', /^FILE: is no.* JSON object/],
  ['an unknown key', '{"server":{"prot":1}}', /^FILE: unknown key server\.prot .*did you mean server\.port\?/],
  ['another type', '{"server":{"port":"3000"}}', /^FILE: server\.port is not a number/],
  ['a wrong value', '{"log":{"level":"loud"}}', /^FILE: log\.level .*debug/],
  ['a secret', '{"auth":{"token":"0123456789abcdef"}}', /^FILE: auth\.token is a secret(?!.*0123456789abcdef)/],
  ['two mistakes', '{"a":1,"log":{"b":1}}', /unknown key log\.b.*; unknown key a/],
])('--settings refuses %s', async (_, text, says) => {
  expect(await refusal(readSettings, text)).toMatch(says)
})

test('compile, check and explain take both', async () => {
  const directory = temporaryDirectory()
  directory.write(
    'gate.toml',
    `[backends.one]\nengine = "ollama"\nimage = "example.org/ollama@sha256:${'0'.repeat(64)}"\n`,
  )
  directory.write('layout.json', '{"programs":{"nologin":"/opt/nologin"}}')
  directory.write('settings.json', '{"log":{"level":"debug"}}')
  const spec = directory.file('gate.toml')
  const given = ['--layout', directory.file('layout.json'), '--settings', directory.file('settings.json')]
  const out = directory.file('out')
  const compiled = await gatectl(['compile', spec, '--target', 'declared,systemd', '--out', out, ...given])
  expect(compiled).toMatchObject({ code: 0 })
  expect(directory.read('out/declared/declared.json')).toContain('"level": "debug"')
  expect(directory.read('out/systemd/sysusers.d/gate.conf')).toContain('/opt/nologin')
  const explained = await gatectl(['explain', spec, 'declared/declared.json', ...given])
  expect(explained.stdout).toMatch(/compiler +\| +"level": "debug"/)
  directory.write('settings.json', '{"server":{"port":1}}')
  const checked = await gatectl(['check', spec, '--target', 'declared', ...given])
  expect(checked).toMatchObject({ code: 3, stdout: expect.stringContaining('CONTRADICTING_SETTING') })
  directory.remove()
})
