import type { Option } from '../../command.ts'
import type { Command } from '../../invocation.ts'
import { INSTANCE, YES } from '../host/options.ts'

const STATE_DIRECTORY: Option = {
  type: 'string',
  value: 'DIR',
  description: "this state directory, in place of the host's or this user's",
  complete: 'file',
}
const PASSPHRASE_FILE: Option = {
  type: 'string',
  value: 'FILE',
  description: 'the passphrase is the first line of this file',
  complete: 'file',
}
const IDENTITY: Option = {
  type: 'string',
  value: 'FILE',
  description: 'open it with this private key, as gatectl backup key makes it',
  complete: 'file',
}
const WHICH = { 'state-directory': STATE_DIRECTORY, instance: INSTANCE }

/** @see docs/operations.md */
export const BACKUP_COMMANDS: readonly Command[] = [
  {
    name: 'backup',
    summary: 'write keys, usage, configuration and certificates to one encrypted file, while the daemon runs',
    arguments: [{ name: 'FILE', complete: 'file' }],
    options: {
      'passphrase-file': PASSPHRASE_FILE,
      recipient: {
        type: 'string',
        value: 'FILE',
        description: 'lock it for this public key, in place of a passphrase',
        complete: 'file',
      },
      verify: { type: 'boolean', description: 'write nothing: read FILE from beginning to end, and say what is in it' },
      identity: IDENTITY,
      'hash-models': { type: 'boolean', description: 'list the models with SHA-256, which reads all of them' },
      ...WHICH,
    },
    notes:
      'Needs the rights of the account that the daemon runs as, or root. Models are listed, not copied. The passphrase is asked\n' +
      'for on a terminal, else it is the first line of standard input.',
    load: () => import('./backup.ts'),
  },
  {
    name: 'backup key',
    summary: 'make a key pair for backups: FILE opens them, FILE.pub locks them',
    arguments: [{ name: 'FILE', complete: 'file' }],
    options: {},
    notes: 'Keep FILE on another machine: a host that has only FILE.pub writes backups that it cannot read.',
    load: () => import('./key.ts'),
  },
  {
    name: 'restore',
    summary: 'put a backup in place of the state of a daemon that is stopped',
    arguments: [{ name: 'FILE', complete: 'file' }],
    options: {
      'passphrase-file': PASSPHRASE_FILE,
      identity: IDENTITY,
      check: { type: 'boolean', description: 'replace nothing: only say whether it could be restored' },
      'state-only': { type: 'boolean', description: 'leave the spec, the CA and the secrets of the host as they are' },
      yes: YES,
      ...WHICH,
    },
    notes:
      'Stop the daemon first: systemctl stop gate-daemon.socket gate-daemon.service. All of FILE is read and its databases\n' +
      'are checked before anything is replaced. What was there before is moved to before-restore-TIME in the state directory;\n' +
      'files of the host that differ (/etc/gate, its CA, its secrets) are kept in one beside the generations. A restore that\n' +
      'was broken off is finished by the next one, and no daemon starts before. Afterwards, on a host with a spec: gatectl apply;\n' +
      'then start the daemon. The passphrase is asked for on a terminal, else it is the first line of standard input.',
    load: () => import('./restore.ts'),
  },
]
