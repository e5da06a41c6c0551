import type { Command } from '../../invocation.ts'

export const ABOUT_COMMANDS: readonly Command[] = [
  {
    name: 'help',
    summary: 'show help about all commands, a group of them or one',
    arguments: [
      { name: 'COMMAND', optional: true, complete: 'command' },
      { name: 'SUBCOMMAND', optional: true, complete: 'command' },
    ],
    options: {},
    load: () => import('./help.ts'),
  },
  {
    name: 'version',
    summary: 'show the version',
    arguments: [],
    options: {},
    load: () => import('./version.ts'),
  },
]
