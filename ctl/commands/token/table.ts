import { SCOPES } from '../../../schemas/words/scopes.ts'
import type { Option } from '../../command.ts'
import type { Command } from '../../invocation.ts'

const KEY = { name: 'KEY', complete: 'token' } as const
const KEY_NOTES = 'KEY is the id of a key, the beginning of one, or its name, as "gatectl token list" shows them.'

const LIMITS = {
  from: {
    type: 'string',
    value: 'A,B',
    description: 'addresses and ranges that it may come from, such as 10.0.0.0/8 (any)',
  },
  budgets: {
    type: 'string',
    value: 'A,B',
    description: 'budgets that count what it spends, beside those that do anyway',
  },
  limits: { type: 'string', value: 'A,B', description: 'limits that it is under, beside those that it is anyway' },
} as const satisfies Record<string, Option>

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
      ...LIMITS,
      expires: { type: 'string', value: '30d', description: 'lifetime of the key, such as 12h or 30d (unlimited)' },
      owner: {
        type: 'string',
        value: 'USER',
        description: 'whose key it is (nobody’s: a service key)',
        complete: 'user',
      },
      team: { type: 'string', value: 'TEAM', description: 'the team that a service key counts for', complete: 'team' },
      service: { type: 'boolean', description: 'a service key, also where you are signed in as a person' },
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
    arguments: [KEY],
    options: {},
    notes: KEY_NOTES,
    load: () => import('./revoke.ts'),
  },
  {
    name: 'token change',
    summary: 'change what a key may do, or disable it; at once, also for what is being answered to it',
    arguments: [KEY],
    options: {
      name: { type: 'string', value: 'NAME', description: 'another name' },
      scopes: { type: 'string', value: 'A,B', description: 'what the key may do', complete: SCOPES },
      models: { type: 'string', value: 'A,B', description: 'the models that it may use; "" for no limit' },
      categories: { type: 'string', value: 'A,B', description: 'categories of models; "" for none' },
      pin: { type: 'string', value: 'MODEL', description: 'the model that answers whatever is asked; "" for none' },
      ...LIMITS,
      expires: { type: 'string', value: '30d', description: 'lifetime from now on, or "never"' },
      disable: { type: 'boolean', description: 'let it do nothing, until it is enabled' },
      enable: { type: 'boolean', description: 'let it do again what it may' },
    },
    notes: KEY_NOTES,
    load: () => import('./change.ts'),
  },
  {
    name: 'token rotate',
    aliases: ['auth rotate-token'],
    summary: 'give a key another text and print it, this one time only; the one before counts as well for a while',
    arguments: [{ ...KEY, optional: true }],
    options: {
      overlap: { type: 'string', value: '24h', description: 'how long the text before counts; 0s: not at all (24h)' },
    },
    notes: `${KEY_NOTES} Without KEY, the system token auth.token gets another text, where "gatectl config set" has set it.`,
    load: () => import('./rotate.ts'),
  },
]
