import { PROMOTE_FORMATS } from '../../../schemas/words/promote-formats.ts'
import type { Command } from '../../invocation.ts'

const KEY = { name: 'KEY', complete: 'config-key' } as const

export const CONFIG_COMMANDS: readonly Command[] = [
  {
    name: 'config get',
    summary: 'print the value of a key',
    arguments: [{ ...KEY, optional: true }],
    options: { all: { type: 'boolean', description: 'every key and its value' } },
    load: () => import('./get.ts'),
  },
  {
    name: 'config set',
    summary: 'write a key into the runtime configuration',
    arguments: [KEY, { name: 'VALUE', optional: true, complete: 'config-value' }],
    options: {
      force: { type: 'boolean', description: 'even if the environment hides the value' },
      file: { type: 'string', value: 'FILE', description: 'read the value from a file', complete: 'file' },
    },
    notes:
      'VALUE is read by the type of the key; lists are JSON. A VALUE of "-" is read from standard input:\n' +
      'that, or --file, keeps a secret out of the process list and the shell history.',
    load: () => import('./set.ts'),
  },
  {
    name: 'config unset',
    summary: 'remove a key from the runtime configuration',
    arguments: [KEY],
    options: {},
    load: () => import('./unset.ts'),
  },
  {
    name: 'config explain',
    summary: 'show the value of a key in every layer, and which one wins',
    arguments: [KEY],
    options: {},
    load: () => import('./explain.ts'),
  },
  {
    name: 'config diff',
    summary: 'list what the runtime configuration changes over the layers below',
    arguments: [],
    options: { check: { type: 'boolean', description: 'exit with 3 when there is a difference' } },
    load: () => import('./diff.ts'),
  },
  {
    name: 'config promote',
    summary: 'print what to write elsewhere to make the runtime configuration permanent',
    arguments: [],
    options: {
      format: {
        type: 'string',
        value: 'FORMAT',
        description: 'nix or spec (spec: TOML for gate.toml)',
        complete: PROMOTE_FORMATS,
      },
    },
    load: () => import('./promote.ts'),
  },
  {
    name: 'config validate',
    aliases: ['gateway validate-config'],
    summary: 'check a configuration file, or the running configuration',
    arguments: [{ name: 'FILE', optional: true, complete: 'file' }],
    options: {},
    notes:
      'With a FILE no daemon is needed; one that ends in .json is a declared layer. Exits with 3 when something is wrong.',
    load: () => import('./validate.ts'),
  },
]
