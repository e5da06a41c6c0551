import { ROLES } from '../../../schemas/words/roles.ts'
import type { Command } from '../../invocation.ts'

const NAME = { name: 'NAME', complete: 'user' } as const

/** A command that changes one person. */
const changing = (verb: string, summary: string, more: Partial<Command> = {}): Command => ({
  name: `user ${verb}`,
  summary,
  arguments: [NAME],
  options: {},
  load: () => import('./change.ts').then(({ changes }) => ({ run: changes(verb) })),
  ...more,
})

export const USER_COMMANDS: readonly Command[] = [
  {
    name: 'user add',
    summary: 'add a person',
    arguments: [{ name: 'NAME' }],
    options: {
      role: { type: 'string', value: 'ROLE', description: `${ROLES.join(', ')} (member)`, complete: ROLES },
      email: { type: 'string', value: 'ADDRESS', description: 'address for mail' },
      password: { type: 'boolean', description: 'give a password, which it asks for' },
    },
    notes: 'The password is asked for on a terminal, or is the first line of standard input.',
    load: () => import('./add.ts'),
  },
  {
    name: 'user list',
    summary: 'list the people',
    arguments: [],
    options: {},
    load: () => import('./list.ts'),
  },
  changing('disable', 'let a person, and their keys, do nothing any more; at once'),
  changing('enable', 'let a person who was disabled in again'),
  changing('role', 'give a person another role; at once', {
    arguments: [NAME, { name: 'ROLE', complete: ROLES }],
  }),
  changing(
    'password',
    'give a person a new password, which it asks for; they are signed out everywhere, without passkeys',
    {
      options: { none: { type: 'boolean', description: 'take the password away' } },
    },
  ),
  changing('sign-out', 'sign a person out everywhere; their keys stay'),
  changing('remove', 'remove a person; their keys are revoked', {
    notes:
      'A person of an identity provider, a proxy or a tailnet is added again at their next visit: disable them instead.',
  }),
]
