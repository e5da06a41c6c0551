import type { Command } from '../../invocation.ts'

export const LOGIN_COMMANDS: readonly Command[] = [
  {
    name: 'login',
    summary: 'sign in to a gateway, which commands speak with from then on',
    arguments: [{ name: 'URL', optional: true }],
    options: {
      ca: {
        type: 'string',
        value: 'FILE',
        description: 'trust the certificates in this file as well',
        complete: 'file',
      },
    },
    notes:
      'It shows a code, which you enter in a browser at the gateway. The tokens are kept in ~/.config/gate/gateways.json.\n' +
      '--socket, or GATE_ADMIN_SOCKET, still reaches the daemon of this host.',
    load: () => import('./login.ts'),
  },
  {
    name: 'logout',
    summary: 'sign out of a gateway; commands then speak with the daemon of this host again',
    arguments: [{ name: 'URL', optional: true }],
    options: {},
    load: () => import('./logout.ts'),
  },
]
