import { BlockList, isIP } from 'node:net'

/** A place on the network: an IP address without brackets; undefined for a name, whose addresses are not known. */
export type Place = { readonly address: string | undefined; readonly port: number; readonly isThisHost: boolean }

/** Whether a table that `printOutputTable` made lets its account connect over TCP; a name: to any public address. */
export function letsThrough(table: string, { address, port, isThisHost }: Place): boolean {
  const lines = table.split('\n').map((line) => line.trim())
  const rules = lines.slice(lines.indexOf('chain account {') + 1)
  for (const rule of rules.slice(0, rules.indexOf('}'))) {
    if (rule.startsWith('fib daddr type local') && isThisHost) return false
    const [, not, ranges, protocol, only] = RULE.exec(rule) ?? []
    if (!rule.endsWith('accept') || protocol === 'udp' || (only !== undefined && Number(only) !== port)) continue
    const isAllBut = not !== undefined
    if (
      address === undefined
        ? isAllBut
        : ranges !== undefined && isFamily(rule, address) && isIn(ranges, address) !== isAllBut
    )
      return true
  }
  return false
}

const RULE = /^(?:ip6? daddr (!= )?(\{.*\}|\S+) )?(?:(tcp|udp) dport (\d+) )?accept$/

const isFamily = (rule: string, address: string): boolean => rule.startsWith('ip6 ') === (isIP(address) === 6)

function isIn(ranges: string, address: string): boolean {
  const list = new BlockList()
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  for (const range of ranges.replace(/[{}]/g, '').split(',')) {
    const [net = '', bits] = range.trim().split('/')
    if (bits === undefined) list.addAddress(net, family)
    else list.addSubnet(net, Number(bits), family)
  }
  return list.check(address, family)
}
