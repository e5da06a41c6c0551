import { isIP } from 'node:net'
import type { Config } from '../schemas/config/config.ts'
import { isLoopback } from '../schemas/words/address.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import type { Path } from '../syntax/tree.ts'
import type { Conflict } from './conflict.ts'

/**
 * Rules over the keys of certificates; all wait for a restart. A secret that is missing is none of them: it is told
 * when it is needed, by an alarm, and the daemon serves what it has.
 */
export function certificateConflicts(config: Config): Conflict[] {
  const { tls, letsencrypt } = config
  return [
    ...halves(['tls', 'files'], 'cert', 'key', tls.files),
    ...samePorts(tls),
    ...plainDirectory(tls),
    ...(tls.acme.eab_hmac !== undefined && tls.acme.eab_kid === undefined
      ? [
          needed(
            ['tls', 'acme', 'eab_hmac'],
            'tls.acme.eab_hmac is set, and tls.acme.eab_kid is missing',
            'set tls.acme.eab_kid to the key id that the CA gave with it',
          ),
        ]
      : []),
    ...(letsencrypt.enabled
      ? [...unnamed(letsencrypt), ...uncertifiable(letsencrypt), ...unprovable(config), ...dnsKeys(letsencrypt)]
      : []),
  ]
}

/** Two keys of which neither says anything alone. */
function halves(table: Path, one: string, other: string, values: Readonly<Record<string, unknown>>): Conflict[] {
  const [has, lacks] = values[one] === undefined ? [other, one] : [one, other]
  if (values[has] === undefined || values[lacks] !== undefined) return []
  const missing = keyPathText([...table, lacks])
  return [
    needed([...table, has], `${keyPathText([...table, has])} is set, and ${missing} is missing`, `set ${missing}`),
  ]
}

function samePorts({ https_port, http_port }: Config['tls']): Conflict[] {
  if (http_port === undefined || http_port === 0 || http_port !== (https_port ?? 443)) return []
  return [
    {
      code: 'INVALID_VALUE',
      path: ['tls', 'http_port'],
      message: `tls.http_port and tls.https_port are both ${http_port}`,
      hint: () => 'choose another port for one of them',
      without: ['tls', 'http_port'],
    },
  ]
}

/** RFC 8555 section 6.1; a CA for trying on this host may do without. */
function plainDirectory({ acme: { directory } }: Config['tls']): Conflict[] {
  const url = directory === undefined ? null : URL.parse(directory)
  if (url === null || url.protocol !== 'http:' || isLoopback(url.hostname)) return []
  return [
    {
      code: 'INVALID_VALUE',
      path: ['tls', 'acme', 'directory'],
      message: `tls.acme.directory is ${url.origin}…, and certificates are ordered over https alone`,
      hint: () => 'write its https address',
      without: ['tls', 'acme'],
    },
  ]
}

function unnamed({ domains }: Config['letsencrypt']): Conflict[] {
  if (domains.length > 0) return []
  return [
    needed(
      ['letsencrypt', 'enabled'],
      'letsencrypt.enabled is true, and letsencrypt.domains names nothing to certify',
      'set letsencrypt.domains, such as ["ai.example.org"]',
    ),
  ]
}

/** What the challenges cannot prove for anyone. */
function uncertifiable({ domains }: Config['letsencrypt']): Conflict[] {
  const name = domains.find((domain) => isIP(domain) > 0 || /^(?:.*\.)?localhost$/.test(domain))
  if (name === undefined) return []
  return [
    {
      code: 'INVALID_VALUE',
      path: ['letsencrypt', 'domains'],
      message: `letsencrypt.domains has "${name}", which ${isIP(name) > 0 ? 'is an address' : 'every host has'}: no certificate can be ordered for it`,
      hint: () => 'write a name that resolves to this host; for others use tls.internal_ca or tls.files',
      without: ['letsencrypt'],
    },
  ]
}

/** Challenges that cannot prove what they should. */
function unprovable({ letsencrypt, tls }: Config): Conflict[] {
  const { challenge, domains, dns } = letsencrypt
  const wildcard = domains.find((name) => name.startsWith('*.'))
  if (wildcard !== undefined && challenge !== 'dns-01')
    return [
      needed(
        ['letsencrypt', 'domains'],
        `control of "${wildcard}" cannot be proven by ${challenge}`,
        'set letsencrypt.challenge to "dns-01", or name the hosts one by one',
      ),
    ]
  if (challenge === 'http-01' && tls.http_port === undefined)
    return [
      needed(
        ['letsencrypt', 'challenge'],
        'letsencrypt.challenge is "http-01", and tls.http_port is missing',
        'set tls.http_port to 80, where the CA asks',
      ),
    ]
  if (challenge === 'dns-01' && dns.provider === undefined)
    return [
      needed(
        ['letsencrypt', 'challenge'],
        'letsencrypt.challenge is "dns-01", and letsencrypt.dns.provider is missing',
        'set letsencrypt.dns.provider to "cloudflare" or "rfc2136"',
      ),
    ]
  return []
}

const RFC_2136_KEYS = ['server', 'zone', 'key_name'] as const

function dnsKeys({ challenge, dns }: Config['letsencrypt']): Conflict[] {
  if (challenge !== 'dns-01' || dns.provider !== 'rfc2136') return []
  const missing = RFC_2136_KEYS.filter((key) => dns[key] === undefined).map((key) => `letsencrypt.dns.${key}`)
  if (missing.length === 0) return []
  const message = `letsencrypt.dns.provider is "rfc2136", and ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`
  return [needed(['letsencrypt', 'dns', 'provider'], message, `set ${missing.join(', ')}`)]
}

function needed(path: Path, message: string, hint: string): Conflict {
  // half of it would ask for certificates in another way than was meant
  const without = path[0] === 'letsencrypt' ? ['letsencrypt'] : path.slice(0, 2)
  return { code: 'MISSING_KEY', path, message, hint: () => hint, without }
}
