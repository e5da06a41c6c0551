import { isNodeId } from '../protocol.ts'

/** What a claimed name means to the relays of one domain. */
export type NameRead =
  /** One label below the relays' domain. */
  | { readonly kind: 'label'; readonly host: string }
  /** A host name elsewhere, whose owner proves it by a TXT record. */
  | { readonly kind: 'domain'; readonly host: string }
  | { readonly kind: 'reserved' }
  | { readonly kind: 'invalid'; readonly reason: string }

const LDH = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const MAX_HOST = 253

/** Labels that visitors, mail and certificate authorities take for the domain's own, and those of the relay itself. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'relay relays gate www www1 www2 web admin administrator root hostmaster webmaster postmaster abuse security ' +
    'noc support info ssladmin sslwebmaster sysadmin is it mis mail email smtp imap pop pop3 mx autoconfig ' +
    'autodiscover wpad isatap localhost localdomain broadcasthost ns ns0 ns1 ns2 ns3 ns4 dns dns1 dns2 api status ' +
    'console dashboard login auth account accounts sso oauth oidc id billing pay payment payments docs help blog ' +
    'shop store static cdn assets ftp sftp ssh vpn proxy git registry example test invalid local internal intranet ' +
    'mta-sts acme acme-challenge dmarc dkim spf peer peers node nodes metrics'
  ).split(' '),
)

/**
 * Reads a name that a node claims: `myserver`, `myserver.DOMAIN`, or a host name outside of the domain.
 * @param domain of the relays, lower case
 */
export function readName(name: string, domain: string): NameRead {
  const lower = name.toLowerCase().replace(/\.$/, '')
  if (lower.length > MAX_HOST) return { kind: 'invalid', reason: `is longer than ${MAX_HOST} characters` }
  if (!lower.includes('.')) return readLabel(lower, domain)
  if (lower === domain || domain.endsWith(`.${lower}`)) return { kind: 'reserved' }
  if (lower.endsWith(`.${domain}`)) {
    const label = lower.slice(0, -domain.length - 1)
    if (!label.includes('.')) return readLabel(label, domain)
    return { kind: 'invalid', reason: `has more than one label before .${domain}` }
  }
  return readDomain(lower)
}

function readLabel(label: string, domain: string): NameRead {
  if (label.startsWith('_') || RESERVED.has(label)) return { kind: 'reserved' }
  if (label.length > 63) return { kind: 'invalid', reason: 'is longer than 63 characters' }
  if (!LDH.test(label))
    return { kind: 'invalid', reason: 'may have letters, digits and hyphens, no hyphen at its start or end' }
  if (label.slice(2, 4) === '--') return { kind: 'invalid', reason: 'looks like an internationalised name (xn--)' }
  if (isNodeId(label)) return { kind: 'invalid', reason: 'has the form of names that follow from keys' }
  return { kind: 'label', host: `${label}.${domain}` }
}

function readDomain(host: string): NameRead {
  const labels = host.split('.')
  const last = labels.at(-1) ?? ''
  if (!labels.every((label) => LDH.test(label)) || /^\d+$/.test(last)) {
    return { kind: 'invalid', reason: 'is not a host name' }
  }
  return { kind: 'domain', host }
}

/**
 * The host of a TXT record of a DNS-01 challenge, if it is one that relays write: `_acme-challenge.` before one label of
 * the domain.
 */
export function challengeRecord(host: string, domain: string): string | undefined {
  const label = host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1) : ''
  return LDH.test(label) ? `_acme-challenge.${host}` : undefined
}
