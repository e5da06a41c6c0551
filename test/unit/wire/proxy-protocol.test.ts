import { expect, test } from 'vitest'
import { type ProxyReading, readProxyHeader } from '../../../wire/proxy-protocol.ts'
import { below, createRandom } from '../../support/fuzz.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
/** Of version 2: version and command, family, addresses and what follows them, in hex. */
const binary = (head: string, addresses: string) => {
  const length = (addresses.length / 2).toString(16).padStart(4, '0')
  return Buffer.from(SIGNATURE + head + length + addresses, 'hex')
}
const V4 = 'cb007109' + 'c0000201' + '1267' + '01bb'
const V6 = `20010db8${'0'.repeat(23)}7${'0'.repeat(32)}126701bb`
const refused: ProxyReading = { kind: 'refused' }
const line = (text: string) => Buffer.from(text, 'latin1')

test.each([
  { name: 'version 1, IPv4', bytes: line('PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n'), peer: '203.0.113.9' },
  { name: 'version 1, IPv6', bytes: line('PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n'), peer: '2001:db8::7' },
  { name: 'version 1, unknown', bytes: line('PROXY UNKNOWN\r\n'), peer: null },
  { name: 'version 1, unknown with more', bytes: line('PROXY UNKNOWN ffff::1 ffff::1 1 1\r\n'), peer: null },
  { name: 'version 2, IPv4', bytes: binary('2111', V4), peer: '203.0.113.9' },
  {
    name: 'version 2, IPv4, with fields behind the addresses',
    bytes: binary('2111', `${V4}010002ffff`),
    peer: '203.0.113.9',
  },
  { name: 'version 2, IPv6', bytes: binary('2121', V6), peer: '2001:db8:0:0:0:0:0:7' },
  { name: 'version 2, the proxy itself', bytes: binary('2000', ''), peer: null },
  { name: 'version 2, unspecified', bytes: binary('2100', ''), peer: null },
  { name: 'version 2, a Unix socket', bytes: binary('2131', '00'.repeat(216)), peer: null },
])('$name', ({ bytes, peer }) => {
  const after = Buffer.concat([bytes, Buffer.from('\x16\x03\x01')])
  expect(readProxyHeader(after)).toEqual({
    kind: 'proxied',
    peer,
    port: peer === null ? null : 4711,
    bytes: bytes.length,
  })
  for (let length = 0; length < bytes.length; length += 1)
    expect(readProxyHeader(bytes.subarray(0, length))).toEqual({ kind: 'more' })
})

test.each([
  { name: 'TLS', bytes: line('\x16\x03\x01') },
  { name: 'HTTP', bytes: line('GET / HTTP/1.1\r\n') },
  { name: 'lower case', bytes: line('proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n') },
  { name: 'an address of the other family', bytes: line('PROXY TCP4 ::1 ::1 1 2\r\n') },
  { name: 'an address that is none', bytes: line('PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n') },
  { name: 'a port that is none', bytes: line('PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n') },
  { name: 'a port with a zero before it', bytes: line('PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n') },
  { name: 'two spaces', bytes: line('PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n') },
  { name: 'a line without end', bytes: line(`PROXY UNKNOWN ${'x'.repeat(100)}`) },
  { name: 'version 1 of the binary form', bytes: binary('1111', V4) },
  { name: 'an unknown command', bytes: binary('2211', V4) },
  { name: 'a datagram', bytes: binary('2112', V4) },
  { name: 'addresses too short', bytes: binary('2111', 'cb007109') },
  { name: 'more than 2 KiB', bytes: binary('2111', V4 + '00'.repeat(2_048)) },
])('refuses $name', ({ bytes }) => {
  expect(readProxyHeader(bytes)).toEqual(refused)
})

test('noise has an answer, and more of it never changes what is refused', () => {
  const random = createRandom(7)
  for (let trial = 0; trial < 20_000; trial += 1) {
    const bytes = binary('2111', V4)
    for (let change = below(random, 3); change >= 0; change -= 1)
      bytes[below(random, bytes.length)] = below(random, 256)
    const early = readProxyHeader(bytes.subarray(0, below(random, bytes.length)))
    if (early.kind === 'refused') expect(readProxyHeader(bytes)).toEqual(refused)
  }
})
