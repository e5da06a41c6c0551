import type { Command } from '../../invocation.ts'

export const AUTH_COMMANDS: readonly Command[] = [
  {
    name: 'auth hash-password',
    summary: 'print the hash of a password for auth.password_hash; it asks for the password',
    arguments: [],
    options: {},
    notes:
      'The password is asked for on a terminal, or is the first line of standard input. It asks no daemon.\n' +
      'People have passwords of their own: gatectl user password NAME.',
    load: () => import('./hash-password.ts'),
  },
]
