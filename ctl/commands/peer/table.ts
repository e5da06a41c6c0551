import type { Command } from '../../invocation.ts'

const NAME = { name: 'NAME' } as const

export const PEER_COMMANDS: readonly Command[] = [
  {
    name: 'peer list',
    summary: 'list other gateways, and say what this one is known by',
    arguments: [],
    options: {},
    load: () => import('./list.ts'),
  },
  {
    name: 'peer invite',
    summary: 'let another gateway use the models of this one, with a key of its own',
    arguments: [NAME, { name: 'NODE-ID' }],
    options: {
      address: {
        type: 'string',
        value: 'HOST:PORT',
        multiple: true,
        description: 'where the other gateway reaches this one directly; repeat (the addresses of this host)',
      },
      models: { type: 'string', value: 'A,B', description: 'only these models (all)' },
      budgets: { type: 'string', value: 'A,B', description: 'budgets that count what it costs' },
      limits: { type: 'string', value: 'A,B', description: 'limits that it has to keep to' },
    },
    notes:
      'NODE-ID is what "gatectl peer list" prints there. The invitation, which is printed once, holds the key: hand it over as a\n' +
      'secret, and give it to "gatectl peer accept" there. No other gateway can use it.',
    load: () => import('./invite.ts'),
  },
  {
    name: 'peer accept',
    summary: 'use the models of the gateway that an invitation is from',
    arguments: [NAME],
    options: {
      file: { type: 'string', value: 'FILE', description: 'read the invitation there', complete: 'file' },
    },
    notes: 'The invitation is read from standard input, or from a file: it holds a key.',
    load: () => import('./accept.ts'),
  },
  {
    name: 'peer remove',
    summary: 'forget another gateway: its key, its upstream, and what it was let in with',
    arguments: [NAME],
    options: {},
    load: () => import('./remove.ts'),
  },
]
