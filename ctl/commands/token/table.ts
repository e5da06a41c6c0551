import { SCOPES } from '../../../schemas/words/scopes.ts'
import type { Command } from '../../invocation.ts'

export const TOKEN_COMMANDS: readonly Command[] = [
  {
    name: 'token create',
    aliases: ['auth create-token'],
    summary: 'create a key and print it, this one time only',
    arguments: [],
    options: {
      name: { type: 'string', value: 'NAME', description: 'name that says what the key is for (gatectl)' },
      scopes: {
        type: 'string',
        value: 'A,B',
        description: 'what the key may do (admin; chat:write with --models, --categories or --pin)',
        complete: SCOPES,
      },
      models: {
        type: 'string',
        value: 'A,B',
        description: 'the models that the key may use, as clients write them, such as coder or local/* (all)',
      },
      categories: { type: 'string', value: 'A,B', description: 'categories of models that the key may use (all)' },
      pin: {
        type: 'string',
        value: 'MODEL',
        description: 'the model that answers, whichever one is asked for: for programs that ask for their own',
      },
      'trust-users': {
        type: 'boolean',
        description:
          'believe what the program of the key says of its users (X-OpenWebUI-User-Email), for "gatectl usage"',
      },
      expires: { type: 'string', value: '30d', description: 'lifetime of the key, such as 12h or 30d (unlimited)' },
    },
    notes: 'The key alone goes to standard output, the rest to standard error: KEY=$(gatectl token create)',
    load: () => import('./create.ts'),
  },
  {
    name: 'token list',
    summary: 'list the keys, without their text',
    arguments: [],
    options: {},
    load: () => import('./list.ts'),
  },
  {
    name: 'token revoke',
    summary: 'revoke a key at once',
    arguments: [{ name: 'KEY', complete: 'token' }],
    options: {},
    notes: 'KEY is the id of a key, the beginning of one, or its name, as "gatectl token list" shows them.',
    load: () => import('./revoke.ts'),
  },
]
