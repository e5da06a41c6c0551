import type { Option } from '../../command.ts'
import type { Command } from '../../invocation.ts'
import { INSTANCE } from '../host/options.ts'

const DEV: Option = { type: 'boolean', description: "a CA of this user's own, for localhost, instead of the host's" }
const DIRECTORY: Option = {
  type: 'string',
  value: 'DIR',
  description: "the CA in this directory instead of the host's",
  complete: 'file',
}
const WHICH = { dev: DEV, directory: DIRECTORY, instance: INSTANCE }

/** The internal CA. @see docs/tls.md */
export const CA_COMMANDS: readonly Command[] = [
  {
    name: 'ca init',
    summary: 'make the root of the internal CA, if there is none',
    arguments: [],
    options: {
      domain: {
        type: 'string',
        value: 'NAME',
        multiple: true,
        description: 'it may sign for this and all names below',
      },
      address: { type: 'string', value: 'IP', multiple: true, description: 'it may sign for this address' },
      replace: { type: 'boolean', description: 'make another root; every client then needs the installer again' },
      'keep-trust': { type: 'boolean', description: 'with --replace: clients go on trusting the root before' },
      ...WHICH,
    },
    notes:
      'Once a spec with gate.tls.internal_ca = true was applied, the names come from there. A root signs for nothing else, and\n' +
      'lasts ten years; clients learn its successor two years before its end.',
    load: () => import('./init.ts'),
  },
  {
    name: 'ca issue',
    summary: 'issue a certificate for a server, with its key',
    arguments: [{ name: 'NAME', optional: true }],
    options: {
      also: { type: 'string', value: 'NAME', multiple: true, description: 'another host name or address in it' },
      out: { type: 'string', value: 'DIR', description: 'write NAME.crt and NAME.key there', complete: 'file' },
      days: { type: 'string', value: 'DAYS', description: 'how long it lasts (14; with --dev 90; 397 at most)' },
      ...WHICH,
    },
    notes:
      'Without --out, gatectl ca renew renews it where it is. NAME is localhost with --dev, which also makes the CA.',
    load: () => import('./issue.ts'),
  },
  {
    name: 'ca list',
    summary: 'list the root and what it has issued',
    arguments: [],
    options: WHICH,
    load: () => import('./list.ts'),
  },
  {
    name: 'ca export',
    summary: 'write the certificates that clients are to trust, or one that was issued, to one file',
    arguments: [{ name: 'NAME', optional: true }],
    options: {
      as: {
        type: 'string',
        value: 'FORMAT',
        description: 'pem, der, or p12 for phones and browsers (pem)',
        complete: ['pem', 'der', 'p12'],
      },
      out: { type: 'string', value: 'FILE', description: 'write it there, for its owner alone', complete: 'file' },
      'password-file': {
        type: 'string',
        value: 'FILE',
        description: 'the password of a p12 is the first line of this file',
        complete: 'file',
      },
      modern: { type: 'boolean', description: 'lock a p12 with AES-256, which older phones cannot read' },
      ...WHICH,
    },
    notes:
      'Without NAME: what clients are to trust. A p12 asks for a password on a terminal, else reads the first line of standard\n' +
      'input; with NAME it holds the key as well, which pem and der do not.',
    load: () => import('./export.ts'),
  },
  {
    name: 'ca revoke',
    summary: 'put a certificate on the list of revoked ones, and do not renew it',
    arguments: [{ name: 'NAME' }],
    options: WHICH,
    notes:
      'NAME is a host name that it is for, or its number, as "gatectl ca list" shows them. Browsers do not look into lists of\n' +
      'private CAs: what ends the use of a stolen key is that its certificate is over in days.',
    load: () => import('./revoke.ts'),
  },
  {
    name: 'ca renew',
    summary: 'make anew what the internal CA has issued and what is soon over; a timer does this each day',
    arguments: [{ name: 'REQUEST', optional: true, complete: 'file' }],
    options: WHICH,
    notes:
      'REQUEST is /etc/gate/ca.json when it is not given: what the applied spec asks of the CA. Without one, what was issued by\n' +
      'hand is renewed.',
    load: () => import('./renew.ts'),
  },
]
