import { BlockList, isIP } from 'node:net'
import { canonicalHost } from './address.ts'

/** Ranges as CIDR, by the version of IP. */
type Ranges = { readonly 4: readonly string[]; readonly 6: readonly string[] }

/** Addresses that no server has: of links (where clouds keep the secrets of a machine), of groups, of nothing. */
export const NEVER_SERVERS: Ranges = {
  4: ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'],
  6: ['::/128', 'fe80::/10', 'ff00::/8', 'fd00:ec2::254/128'],
}

/** Whether an address is in one of the ranges; what is no address is taken to be. IPv4 counts as such within IPv6. */
export function rangesOf(ranges: Ranges): (address: string) => boolean {
  const list = new BlockList()
  for (const family of [4, 6] as const) {
    for (const range of ranges[family]) {
      const [address = '', prefix = ''] = range.split('/')
      list.addSubnet(address, Number(prefix), `ipv${family}`)
    }
  }
  return (given) => {
    const address = canonicalHost(given)
    return isIP(address) === 0 || list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
}
