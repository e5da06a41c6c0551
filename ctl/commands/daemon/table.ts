import { LOG_LEVELS } from '../../../schemas/words/log.ts'
import type { Command } from '../../invocation.ts'

export const DAEMON_COMMANDS: readonly Command[] = [
  {
    name: 'status',
    summary: 'show whether the daemon is ready, its upstreams and its problems',
    arguments: [],
    options: {},
    load: () => import('./status.ts'),
  },
  {
    name: 'logs',
    summary: "show the daemon's last log lines",
    arguments: [],
    options: {
      follow: { type: 'boolean', short: 'f', description: 'keep printing new lines' },
      lines: {
        type: 'string',
        short: 'n',
        value: 'N',
        description: 'at most N past lines (100; the daemon keeps 1000)',
      },
      level: {
        type: 'string',
        value: 'LEVEL',
        description: `this level and more important: ${LOG_LEVELS.join(', ')}`,
        complete: LOG_LEVELS,
      },
    },
    load: () => import('./logs.ts'),
  },
  {
    name: 'reload',
    summary: 'read the configuration files again, as SIGHUP does',
    arguments: [],
    options: {},
    load: () => import('./reload.ts'),
  },
]
