import { BlockList } from 'node:net'
import type { Spec } from '../../schemas/spec/spec.ts'
import { addressOf, isEveryInterface, isLoopback } from '../../schemas/words/address.ts'
import type { Finding } from '../diagnostic.ts'

/** Where clients come from, by the kind of address that they came by. */
type Ranges = Readonly<Record<4 | 6, readonly string[]>>

/** @see https://tailscale.com/kb/1033/ip-and-dns-addresses */
const TAILNET: Ranges = { 4: ['100.64.0.0/10'], 6: ['fd7a:115c:a1e0::/48'] }
const PRIVATE: Ranges = { 4: ['192.168.0.0/16', '10.0.0.0/8', '172.16.0.0/12'], 6: ['fd00::/8', 'fe80::/10'] }

/**
 * Clients take any address that the name server hands out for a name, and come from one of the same kind. Of a tailnet
 * the ranges are known; of any other network, that there has to be one.
 */
export function checkReach({ dns, gate }: Spec): Finding[] {
  const allowed = gate.server.allow_from
  const { engine, listen } = dns
  if (engine === 'none' || listen === undefined || allowed.length === 0) return []
  const address = addressOf(listen)
  if (listen === 'lo' || isEveryInterface(listen) || (address !== undefined && isLoopback(address))) return []
  // an interface has both
  const families = address === undefined ? ([4, 6] as const) : [familyOf(address)]
  return families.flatMap((family): Finding[] => {
    const isTailnet =
      address === undefined ? listen.startsWith('tailscale') : TAILNET[family].some((range) => overlap(range, address))
    const sources = (isTailnet ? TAILNET : PRIVATE)[family]
    const isCovered = isTailnet
      ? allowed.some((range) => sources.some((source) => overlap(range, source)))
      : allowed.some((range) => familyOf(range) === family && !isLoopback(range.split('/')[0] ?? ''))
    if (isCovered) return []
    const path = ['gate', 'server', 'allow_from']
    const what = address ?? `the IPv${family} addresses of ${listen}`
    const message = `no range of allow_from is for clients that come by ${what}, which the name server hands out`
    const hint = `add their range, such as ${sources.map((source) => JSON.stringify(source)).join(' or ')}`
    return [{ code: 'UNCOVERED_ADDRESS', severity: 'warning', path, message, hint }]
  })
}

const familyOf = (range: string): 4 | 6 => (range.includes(':') ? 6 : 4)

/** Of two ranges that overlap, one holds the other. */
function overlap(a: string, b: string): boolean {
  return familyOf(a) === familyOf(b) && (holds(a, b) || holds(b, a))
}

function holds(range: string, other: string): boolean {
  const type = familyOf(range) === 4 ? 'ipv4' : 'ipv6'
  const [base = '', prefix = type === 'ipv4' ? '32' : '128'] = range.split('/')
  const list = new BlockList()
  list.addSubnet(base, Number(prefix), type)
  return list.check(other.split('/')[0] ?? '', type)
}
