import { isIP, SocketAddress } from 'node:net'
import { contextTag, DER, der, readDer } from '../../syntax/der/der.ts'
import { addressBytes } from './address-bytes.ts'

/** What a CA may sign for: each domain with every name below it, and each address alone. */
export type Permitted = { readonly domains: readonly string[]; readonly addresses: readonly string[] }

/** Object identifier of the extension. @see RFC 5280 4.2.1.10 */
export const NAME_CONSTRAINTS = '2.5.29.30'

const DNS_NAME = contextTag(2, false)
const MAIL = contextTag(1, false)
const IP_ADDRESS = contextTag(7, false)
const PERMITTED = contextTag(0, true)
const EXCLUDED = contextTag(1, true)

/** Every address of IPv4 and of IPv6, as a range: the address, then its mask. */
const ALL_ADDRESSES = [new Uint8Array(8), new Uint8Array(32)]

/**
 * The value of the extension. A kind of name that has no permitted one is excluded as a whole: what no subtree speaks
 * of would be allowed.
 * @returns DER of NameConstraints
 */
export function constraintsDer({ domains, addresses }: Permitted): Uint8Array {
  const names = domains.map((domain) => subtree(DNS_NAME, Buffer.from(domain.toLowerCase(), 'latin1')))
  const ranges = addresses.map((address) => subtree(IP_ADDRESS, range(address)))
  const excluded = [
    ...(names.length === 0 ? [subtree(DNS_NAME, new Uint8Array())] : []),
    ...missingFamilies(addresses).map((all) => subtree(IP_ADDRESS, all)),
    // a host below it is a mail domain, and mail is not what this CA is for
    subtree(MAIL, new Uint8Array()),
  ]
  const permitted = [...names, ...ranges]
  return der(
    DER.sequence,
    ...(permitted.length === 0 ? [] : [der(PERMITTED, ...permitted)]),
    der(EXCLUDED, ...excluded),
  )
}

const subtree = (tag: number, base: Uint8Array) => der(DER.sequence, der(tag, base))

function range(address: string): Uint8Array {
  const bytes = addressBytes(address)
  return Buffer.concat([bytes, new Uint8Array(bytes.length).fill(0xff)])
}

/** A permitted address of one family excludes nothing of the other for every reader, so it is said. */
function missingFamilies(addresses: readonly string[]): Uint8Array[] {
  return ALL_ADDRESSES.filter((_, i) => !addresses.some((address) => isIP(address) === (i === 0 ? 4 : 6)))
}

/**
 * Reads back what `constraintsDer` wrote.
 * @throws RangeError for what is no DER
 */
export function readConstraints(bytes: Uint8Array): Permitted {
  const [constraints] = readDer(bytes)
  const parts = readDer(constraints?.contents ?? new Uint8Array())
  const subtrees = readDer(parts.find(({ tag }) => tag === PERMITTED)?.contents ?? new Uint8Array())
  const bases = subtrees.flatMap(({ contents }) => readDer(contents).slice(0, 1))
  return {
    domains: bases.flatMap(({ tag, contents }) => (tag === DNS_NAME ? [Buffer.from(contents).toString('latin1')] : [])),
    addresses: bases.flatMap(({ tag, contents }) => (tag === IP_ADDRESS ? [addressText(contents)] : [])),
  }
}

function addressText(rangeBytes: Uint8Array): string {
  const bytes = rangeBytes.subarray(0, rangeBytes.length / 2)
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  )
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address
}

/** Whether a host name or an address lies within; a wildcard stands for the names below its domain. */
export function isPermitted(name: string, { domains, addresses }: Permitted): boolean {
  if (isIP(name) > 0) {
    const wanted = Buffer.from(addressBytes(name))
    return addresses.some((address) => wanted.equals(addressBytes(address)))
  }
  const host = name.toLowerCase().replace(/^\*\./, '')
  return domains.some((domain) => host === domain.toLowerCase() || host.endsWith(`.${domain.toLowerCase()}`))
}
