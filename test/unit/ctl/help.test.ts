import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../../ctl/command-table.ts'
import { gatectl } from '../../support/gatectl.ts'

const golden = (name: string) => join(import.meta.dirname, 'golden', `${name}.txt`)

test.each([
  { args: ['--help'], file: 'help' },
  { args: ['config', '--help'], file: 'help-config' },
  { args: ['config', 'set', '-h'], file: 'help-config-set' },
])('gatectl $args', async ({ args, file }) => {
  const run = await gatectl(args)
  expect(run).toMatchObject({ code: 0, stderr: '' })
  await expect(run.stdout).toMatchFileSnapshot(golden(file))
})

test('gatectl alone shows the help', async () => {
  expect(await gatectl([])).toMatchObject({ code: 0, stdout: (await gatectl(['--help'])).stdout })
})

test('--version is the package version', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'))
  expect((await gatectl(['--version'])).stdout).toBe(`gatectl ${version}\n`)
  expect(JSON.parse((await gatectl(['--version', '--json'])).stdout)).toEqual({ version })
})

test.each(COMMANDS)('the module of "$name" runs', async ({ load }) => {
  expect(typeof (await load()).run).toBe('function')
})

test('no name or alias is there twice', () => {
  const names = COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])])
  expect(new Set(names).size).toBe(names.length)
})

test.each([
  { args: ['help'], as: ['--help'] },
  { args: ['help', 'config'], as: ['config', '--help'] },
  { args: ['help', 'config', 'set'], as: ['config', 'set', '--help'] },
  { args: ['help', 'auth', 'create-token'], as: ['token', 'create', '-h'] },
  { args: ['version'], as: ['--version'] },
  { args: ['version', '--json'], as: ['--version', '--json'] },
])('C7 gatectl $args is gatectl $as', async ({ args, as }) => {
  const run = await gatectl(args)
  expect(run).toMatchObject({ code: 0, stderr: '' })
  expect(run).toEqual(await gatectl(as))
})

test.each([
  { args: ['auth', '--help'], says: /auth create-token +same as token create/ },
  { args: ['help', 'gateway'], says: /gateway validate-config \[FILE\] +same as config validate/ },
  { args: ['help'], says: /auth create-token/ },
])('C7 what works is in the help: gatectl $args', async ({ args, says }) => {
  expect((await gatectl(args)).stdout).toMatch(says)
})

test.each([
  { args: ['help', 'confg'], says: /did you mean "gatectl config"\?/ },
  { args: ['auth'], says: /gatectl auth needs a subcommand\n.*auth create-token/ },
  { args: ['auth', 'create-tokn'], says: /did you mean "gatectl auth create-token"\?/ },
])('C7 gatectl $args says what was meant', async ({ args, says }) => {
  const run = await gatectl(args)
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toMatch(says)
})
