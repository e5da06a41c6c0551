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
