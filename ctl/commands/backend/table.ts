import type { Command } from '../../invocation.ts'

const BACKEND = { name: 'NAME', complete: 'backend-name' } as const

export const BACKEND_COMMANDS: readonly Command[] = [
  {
    name: 'backend list',
    summary: 'list the backends, what each is doing and how many requests wait',
    arguments: [],
    options: {},
    load: () => import('./list.ts'),
  },
  {
    name: 'backend status',
    summary: 'show one backend: its units, and why it does not start',
    arguments: [BACKEND],
    options: {},
    load: () => import('./status.ts'),
  },
  {
    name: 'backend start',
    summary: 'start a backend and wait until it answers',
    arguments: [BACKEND],
    options: {},
    notes: 'Also works for one that was stopped by hand or is quarantined. Ctrl-C stops the waiting, not the start.',
    load: () => import('./start.ts'),
  },
  {
    name: 'backend stop',
    summary: 'stop a backend once its requests have finished',
    arguments: [BACKEND],
    options: {},
    notes: 'One that starts on demand starts again with the next request; any other stays stopped until it is started.',
    load: () => import('./stop.ts'),
  },
  {
    name: 'backend restart',
    summary: 'stop and start a backend',
    arguments: [BACKEND],
    options: {},
    load: () => import('./restart.ts'),
  },
  {
    name: 'backend logs',
    summary: 'show the journal of a backend',
    arguments: [BACKEND],
    options: {
      follow: { type: 'boolean', short: 'f', description: 'keep printing new lines' },
      lines: { type: 'string', short: 'n', value: 'N', description: 'at most N past lines (100; at most 10000)' },
      timestamps: { type: 'boolean', short: 't', description: 'time and message alone, as docker logs -t prints them' },
    },
    load: () => import('./logs.ts'),
  },
  {
    name: 'backend events',
    summary: 'show when a backend started, failed and ended, and with which exit code',
    arguments: [BACKEND],
    options: {
      follow: { type: 'boolean', short: 'f', description: 'keep printing new ones' },
      lines: { type: 'string', short: 'n', value: 'N', description: 'at most N past ones (100; at most 10000)' },
    },
    load: () => import('./events.ts'),
  },
  {
    name: 'backend shell',
    summary: "open a shell in a backend's container",
    arguments: [BACKEND],
    options: { journal: { type: 'boolean', description: 'page through its journal instead' } },
    notes:
      'Needs a terminal, and a container that runs and has a shell. Exits with the code of the shell.\n' +
      'Enter, then "~.", hangs up.',
    load: () => import('./shell.ts'),
  },
]
