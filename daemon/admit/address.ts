import { BlockList, isIP } from 'node:net'

/** Whether an address is in a list of addresses and CIDR ranges. */
type AddressList = { readonly isEmpty: boolean; readonly has: (address: string) => boolean }

/** @param entries addresses or CIDR ranges, IPv4 or IPv6. @throws Error on one that is neither */
export function addressList(entries: readonly string[]): AddressList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return {
    isEmpty: entries.length === 0,
    has(address) {
      const plain = unmapped(address)
      return isIP(plain) !== 0 && list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
    },
  }
}

/**
 * The client's address. A trusted proxy is believed about who it speaks for: the last address of X-Forwarded-For
 * that is not itself a trusted proxy; from any other peer the header is ignored.
 * @param peer null: the proxy of this host, over the socket that is its alone
 * @returns `unknown`, which is in no list, where a proxy names something that is no address: never the proxy's own
 */
export function clientAddress(peer: string | null, forwardedFor: string | undefined, trusted: AddressList): string {
  if (peer !== null && (forwardedFor === undefined || trusted.isEmpty || !trusted.has(peer))) return unmapped(peer)
  let client = peer ?? ''
  for (const hop of (forwardedFor ?? '').split(',').reverse()) {
    const address = withoutPort(hop.trim())
    if (isIP(address) === 0) return 'unknown'
    client = address
    if (!trusted.has(address)) break
  }
  return unmapped(client)
}

/** Some proxies write `203.0.113.9:4711` or `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop
}

/** `::ffff:10.0.0.1` is 10.0.0.1 on a dual-stack socket. */
function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
