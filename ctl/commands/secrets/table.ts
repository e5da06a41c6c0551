import type { Command } from '../../invocation.ts'

/** @see docs/operations.md "Secrets at rest" */
export const SECRETS_COMMANDS: readonly Command[] = [
  {
    name: 'secrets status',
    summary: 'show which keys seal what is kept, and what opens them',
    arguments: [],
    options: {},
    notes: 'Exits with 3 when the last rotation did not come to its end.',
    load: () => import('./status.ts'),
  },
  {
    name: 'secrets rotate',
    summary: 'make a new sealing key, and seal everything with it while the daemon serves',
    arguments: [],
    options: { 'until-sealed': { type: 'boolean', description: 'end when everything is sealed with the new key' } },
    notes:
      'Keys of upstreams in config.toml, client secrets, kept answers and texts are sealed anew; the key before is forgotten when\n' +
      'nothing uses it. What a kill leaves half-way goes on at the next start.',
    load: () => import('./rotate.ts'),
  },
]
