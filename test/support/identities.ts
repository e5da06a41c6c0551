import type { Identities, Identity } from '../../daemon/listener/identities.ts'
import { run } from './programs.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Kinds of keys, as openssl makes them. */
const KEYS = {
  ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['rsa:2048'],
  'short rsa': ['rsa:1024'],
  ed25519: ['ed25519'],
} as const

/** A certificate that signs itself, by openssl. @param names DNS names, and addresses; none: it has no subjectAltName */
export function makeIdentity(
  names: readonly string[],
  kind: keyof typeof KEYS = 'ec',
  name = '/CN=throw-away',
  days = 2,
): Identity {
  const folder = temporaryDirectory()
  const alternatives = names.map((name) => `${/^[\d.]+$|:/.test(name) ? 'IP' : 'DNS'}:${name}`).join(',')
  const subject = ['-subj', name, ...(names.length === 0 ? [] : ['-addext', `subjectAltName=${alternatives}`])]
  const [cert, key] = [folder.file('cert.pem'), folder.file('key.pem')]
  run('openssl', [
    'req',
    '-x509',
    '-newkey',
    ...KEYS[kind],
    '-nodes',
    '-days',
    String(days),
    ...subject,
    '-keyout',
    key,
    '-out',
    cert,
  ])
  const identity = { names, cert: folder.read('cert.pem'), key: folder.read('key.pem') }
  folder.remove()
  return identity
}

/** Identities that a test swaps as it likes. */
export function swappableIdentities(initial: readonly Identity[], challenges: Readonly<Record<string, Identity>> = {}) {
  let current = initial
  const listeners = new Set<() => void>()
  const identities: Identities = {
    current: () => current,
    onChange(changed) {
      listeners.add(changed)
      return () => void listeners.delete(changed)
    },
    challengeFor: (name) => challenges[name],
    httpChallenge: (host, token) => (host === 'ai.example.org' && token === 'token' ? 'token.thumbprint' : undefined),
  }
  return {
    identities,
    swap(next: readonly Identity[]): void {
      current = next
      for (const listener of listeners) listener()
    },
  }
}
