import { isIPv6 } from 'node:net'

/** Groups of an IPv6 address that name a network; what follows is for its owner to choose. */
const NETWORK_GROUPS = 4
const GROUPS = 8

/** Whom an address stands for: itself, or of IPv6 its /64, of which one client has every address. */
export function addressSubject(address: string): string {
  const [plain = ''] = address.split('%')
  if (!isIPv6(plain)) return plain
  if (plain.includes('.')) return plain.slice(plain.lastIndexOf(':') + 1) // an IPv4 address, written as one
  const [head = '', tail] = plain.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : GROUPS - before.length - after.length
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after]
  return `${groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
