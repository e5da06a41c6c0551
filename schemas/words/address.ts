import { isIP } from 'node:net'

/**
 * IPv4 and IPv6 addresses and CIDR ranges as one regular expression, so that the JSON Schema refuses what zod refuses.
 * IPv6 text as in RFC 4291 section 2.2, without zone.
 */
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const v4 = `${octet}(?:\\.${octet}){3}`
const group = '[0-9a-fA-F]{1,4}'

/** Exactly `count` groups, each with a colon after it. */
const before = (count: number) => `(?:${group}:){${count}}`
/** Up to `most` groups, each with a colon before it, after a `::` whose first colon is there already. */
const behind = (most: number) => (most === 0 ? ':' : `(?::${group}){1,${most}}|:`)

const v6 = [
  `${before(7)}${group}`,
  `${before(6)}${v4}`,
  ...[1, 2, 3, 4, 5, 6, 7].map((groups) => `${before(groups)}(?:${behind(7 - groups)})`),
  `:(?:(?::${group}){1,7}|:)`,
  // "::" somewhere in the six groups before a dotted tail.
  ...[1, 2, 3, 4, 5].map((groups) => `${before(groups)}(?::${group}){0,${5 - groups}}:${v4}`),
  `:(?::${group}){0,5}:${v4}`,
].join('|')

/** One address, without prefix length. */
export const addressPattern = new RegExp(`^(?:${v4}|${v6})$`)

export const ipPattern = new RegExp(
  `^(?:${v4}(?:/(?:3[0-2]|[12]?\\d))?|(?:${v6})(?:/(?:12[0-8]|1[01]\\d|[1-9]?\\d))?)$`,
)

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
/** The last label has a letter: resolvers read `127.1` and `0` as addresses. */
const lastLabel = '(?:[0-9][0-9-]{0,61})?[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const name = `(?:${label}\\.){0,30}${lastLabel}\\.?`
const port = '(?:6553[0-5]|655[0-2]\\d|65[0-4]\\d{2}|6[0-4]\\d{3}|[1-5]\\d{4}|[1-9]\\d{0,3})'

/** What a listener can be told to listen on: a name or an address, IPv6 with or without brackets. */
export const hostPattern = new RegExp(`^(?:${name}|${v4}|${v6}|\\[(?:${v6})\\])$`)

/** A host and a port; IPv6 in brackets. */
export const hostPortPattern = new RegExp(`^(?:${name}|${v4}|\\[(?:${v6})\\]):${port}$`)

/** RFC 1918, RFC 4193 and this host: no server of the Internet, nor the addresses of links, where clouds keep secrets. */
const localV4 = `(?:127|10)(?:\\.${octet}){3}|192\\.168(?:\\.${octet}){2}|172\\.(?:1[6-9]|2\\d|3[01])(?:\\.${octet}){2}`
const localV6 = `\\[(?:::1|(?=[fF][cCdD])(?:${v6}))\\]`

/** Where a server of this host or its network listens: `host:port`, or `unix:` with an absolute path. */
export const localServerPattern = new RegExp(`^(?:unix:/[^\\s\\0]{1,106}|(?:localhost|${localV4}|${localV6}):${port})$`)

/**
 * The one form in which hosts are compared, bound and printed: lower case, without brackets and final dot, IPv6 as in
 * RFC 5952, an IPv4 address that IPv6 wraps (`::ffff:127.0.0.1`) as itself. What is not a host stays as it is.
 */
export function canonicalHost(host: string): string {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  if (isIP(bare) === 4) return bare
  if (isIP(bare) !== 6) return host.toLowerCase().replace(/\.$/, '')
  const url = URL.parse(`http://[${bare}]`)
  if (url === null) return bare.toLowerCase() // with a zone, as peers on a link have
  const text = url.hostname.slice(1, -1)
  const wrapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text)
  if (wrapped === null) return text
  const [high, low] = [Number.parseInt(wrapped[1] ?? '', 16), Number.parseInt(wrapped[2] ?? '', 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** Whether only this host reaches it. Of names `localhost` alone is sure to be here (RFC 6761). */
export function isLoopback(host: string): boolean {
  const text = canonicalHost(host)
  return text === 'localhost' || text === '::1' || (text.startsWith('127.') && isIP(text) === 4)
}

/**
 * Names that mean the host that asks (RFC 6761): a policy of HSTS for them would bind all that is developed there. An
 * address has none either (RFC 6797 section 8.1.1).
 */
export function isHostItself(name: string): boolean {
  return /(?:^|\.)localhost$/.test(canonicalHost(name))
}

/** Whether a listener there answers on every interface. */
export function isEveryInterface(host: string): boolean {
  return ['*', '::', '0.0.0.0'].includes(canonicalHost(host))
}

/**
 * What is never a host of the Internet: this host, private networks, links and groups. No two overlap, as nftables
 * wants. @see IANA's special-purpose address registries
 */
export const PRIVATE_RANGES: { readonly 4: readonly string[]; readonly 6: readonly string[] } = {
  4: [
    '0.0.0.0/8',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '169.254.0.0/16',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '224.0.0.0/3',
  ],
  6: ['::/127', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
}

/** Names that public name servers do not answer: of a local network, a tailnet or one label alone. */
export function isLocalName(host: string): boolean {
  const text = canonicalHost(host)
  if (isIP(text) !== 0) return false
  return (
    !text.includes('.') ||
    /\.(?:local|localhost|lan|home|localdomain|internal|intranet|corp|private|home\.arpa|ts\.net)$/.test(text)
  )
}

/** Whether two listeners of one port would meet. */
export function hostsOverlap(a: string, b: string): boolean {
  return (
    isEveryInterface(a) ||
    isEveryInterface(b) ||
    (addressOf(a) ?? canonicalHost(a)) === (addressOf(b) ?? canonicalHost(b))
  )
}

/** What one client of the Internet has: an IPv4 address, or the network of 64 bits that one of IPv6 is in. */
export function addressBlock(address: string): string {
  const text = canonicalHost(address)
  return isIP(text) === 6 ? `${groupsOf(text, 4)}::/64` : text
}

/**
 * What an address counts as: `block` is what one client has, as of addressBlock; `network` is what one customer of a
 * provider may have, the 24 bits of an IPv4 address or the 48 bits of one of IPv6 before the rest.
 */
export function addressBlocks(address: string): { readonly block: string; readonly network: string } {
  const text = canonicalHost(address)
  if (isIP(text) === 6) return { block: `${groupsOf(text, 4)}::/64`, network: `${groupsOf(text, 3)}::/48` }
  const network = isIP(text) === 4 ? `${text.slice(0, text.lastIndexOf('.'))}.0/24` : text
  return { block: text, network }
}

/** The first groups of an IPv6 address in its canonical form. */
function groupsOf(text: string, count: number): string {
  const [head = [], tail = []] = text.split('::').map((part) => part.split(':').filter((each) => each !== ''))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return [...head, ...zeros, ...tail].slice(0, count).join(':')
}

/** The IP address of a host as far as it is known without a resolver; undefined for any name but `localhost`. */
export function addressOf(host: string): string | undefined {
  const text = canonicalHost(host)
  if (text === 'localhost') return '127.0.0.1'
  return isIP(text) === 0 ? undefined : text
}

/** `host:port`, with brackets around IPv6. */
export function hostPort(host: string, port: number): string {
  const text = canonicalHost(host)
  return `${text.includes(':') ? `[${text}]` : text}:${port}`
}

/**
 * Host and port of the authority of a URL or a Host header; the host is canonical, the port undefined when there is
 * none.
 */
export function parseHostPort(authority: string): { readonly host: string; readonly port: number | undefined } {
  const [, host = authority, digits = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority) ?? []
  return { host: canonicalHost(host), port: digits === '' ? undefined : Number(digits) }
}
