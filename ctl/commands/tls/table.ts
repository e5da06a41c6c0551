import type { Command } from '../../invocation.ts'

export const TLS_COMMANDS: readonly Command[] = [
  {
    name: 'tls status',
    summary: 'list the certificates: where they come from, when they expire and are renewed',
    arguments: [],
    options: {},
    notes: 'Exits with 3 when there is an alarm: one that was not renewed in time, has expired, or cannot be served.',
    load: () => import('./status.ts'),
  },
  {
    name: 'tls renew',
    summary: 'get a new certificate now, and wait for it',
    arguments: [{ name: 'NAME', complete: 'certificate' }],
    options: {},
    notes:
      'NAME is one that "gatectl tls status" lists. The certificate before is served until the new one is there, and no\n' +
      'connection is dropped. CAs limit how often a name may be certified: try with letsencrypt.staging first.',
    load: () => import('./renew.ts'),
  },
  {
    name: 'tls check',
    summary: 'look at a name as a client does: certificate, versions, HSTS, redirect, DNS',
    arguments: [{ name: 'NAME' }],
    options: {
      connect: {
        type: 'string',
        value: 'HOST[:PORT]',
        description: 'ask there instead, such as a gateway that the name does not point to yet',
      },
      ca: {
        type: 'string',
        value: 'FILE',
        multiple: true,
        description: 'CA that is believed, too (PEM); repeat',
        complete: 'file',
      },
      'acme-directory': {
        type: 'string',
        value: 'URL',
        description:
          "ACME directory of the CA, which is asked when it wants the certificate renewed (Let's Encrypt's is known)",
      },
      'http-port': { type: 'string', value: 'PORT', description: 'where the redirect is looked for (80); 0: nowhere' },
    },
    notes:
      'NAME is a host name or an address, with a port where it is not 443. Needs neither a daemon nor root; no key is sent. What\n' +
      'cannot be looked at from here is skipped, and said. Exits with 3 when something is wrong.',
    load: () => import('./check.ts'),
  },
]
