import type { Command } from '../../invocation.ts'
import type { ClientName } from './clients.ts'

/** Written out: every start of gatectl loads this table, and their configurations only when they are asked for. */
const NAMES = Object.keys({
  claude: true,
  codex: true,
  gemini: true,
  opencode: true,
  zed: true,
  cursor: true,
  aider: true,
  'open-webui': true,
} satisfies Record<ClientName, true>)

export const CLIENT_COMMANDS: readonly Command[] = [
  {
    name: 'client',
    summary: "write a client program's own configuration, so that it uses this gateway",
    arguments: [{ name: 'CLIENT', complete: NAMES }],
    options: {
      print: { type: 'boolean', description: 'print what would be written, and write nothing' },
      url: {
        type: 'string',
        value: 'URL',
        description:
          "the gateway's address as the client reaches it (server.external_url, else where the daemon of this host listens)",
      },
      model: {
        type: 'string',
        value: 'MODEL',
        multiple: true,
        description: 'model to offer, the usual one first, then the small one; repeat (all)',
      },
      'new-key': {
        type: 'boolean',
        description: "make a key for it and keep it in the key file; on the gateway's host",
      },
      'sign-in': {
        type: 'boolean',
        description: 'no key: people sign in with the client itself, on a device (claude)',
      },
      'key-file': {
        type: 'string',
        value: 'FILE',
        description: 'file that holds its key (~/.config/gate/keys/CLIENT)',
        complete: 'file',
      },
    },
    notes: `CLIENT is ${NAMES.join(', ')}.
Files that are there are kept: only what concerns the gateway is changed in them. No file but the key file
holds the key: the others say where it is. What a client takes from no file is printed as a step to do.`,
    load: () => import('./client.ts'),
  },
]
