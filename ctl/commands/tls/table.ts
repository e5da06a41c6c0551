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
]
