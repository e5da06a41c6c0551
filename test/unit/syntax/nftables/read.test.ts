import { expect, test } from 'vitest'
import { type OutputRule, printOutputTable } from '../../../../syntax/nftables/print.ts'
import { letsThrough } from '../../../../syntax/nftables/read.ts'

const RULES: OutputRule[] = [
  {
    to: 'port',
    ports: [
      { protocol: 'udp', port: 53 },
      { protocol: 'tcp', port: 53 },
    ],
  },
  { to: 'range', range: '127.0.0.1', ports: [{ protocol: 'tcp', port: 8080 }] },
  { to: 'range', range: '10.0.0.0/8', ports: 'all' },
  { to: 'range', range: 'fd00::/8', ports: 'all' },
  { to: 'this host' },
]
const INTERNET: OutputRule[] = [
  { to: 'all but', family: 4, ranges: ['10.0.0.0/8', '192.168.0.0/16'] },
  { to: 'all but', family: 6, ranges: ['fc00::/7'] },
]
const table = (rules: OutputRule[]) =>
  printOutputTable({ origin: [], comment: [], name: 'gate_egress', user: 'gate', rules, reserved: [] }).text

test.each([
  { address: '127.0.0.1', port: 8080, open: [true, true] },
  { address: '127.0.0.1', port: 8081, open: [false, false] },
  { address: '10.1.2.3', port: 443, open: [true, true] },
  { address: '192.168.1.20', port: 443, open: [false, false] },
  { address: '203.0.113.9', port: 443, open: [false, true] },
  { address: 'fd00::1', port: 443, open: [true, true] },
  { address: 'fc00::1', port: 443, open: [false, false] },
  { address: '2001:db8::1', port: 443, open: [false, true] },
  { address: undefined, port: 443, open: [false, true] },
])('$address port $port: $open (without and with the Internet)', ({ address, port, open }) => {
  const place = { address, port, isThisHost: address === '127.0.0.1' }
  expect([RULES, [...RULES, ...INTERNET]].map((rules) => letsThrough(table(rules), place))).toEqual(open)
})
