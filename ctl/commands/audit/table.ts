import type { Command } from '../../invocation.ts'

export const AUDIT_COMMANDS: readonly Command[] = [
  {
    name: 'audit',
    summary: 'show who did what and what was refused, the newest last',
    arguments: [],
    options: {
      since: {
        type: 'string',
        value: 'TIME',
        description: 'how far back: 7d (usual), 24h, or a day such as 2026-11-29',
      },
      n: { type: 'string', value: 'N', description: 'how many entries at most: 100, or up to 1000' },
    },
    notes: 'What was changed is shown by --json. Secrets are fingerprints there.',
    load: () => import('./list.ts'),
  },
  {
    name: 'audit verify',
    summary: 'check that no entry of the audit was changed, moved or removed',
    arguments: [],
    options: {
      copy: {
        type: 'string',
        value: 'FILE',
        description: 'check this copy of gate.db, with audit.head beside it, without the daemon',
        complete: 'file',
      },
      head: {
        type: 'string',
        value: 'NUMBER:HASH',
        description: 'an entry as it was noted earlier: it must still be there',
      },
    },
    notes:
      'Each entry holds the hash of the one before. Exits with 3 when something is wrong. A program that can write all files of the\n' +
      "daemon can write the whole audit anew; only an entry noted elsewhere, such as in the daemon's log, then shows it.",
    load: () => import('./verify.ts'),
  },
]
