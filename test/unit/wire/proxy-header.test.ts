import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalHost } from '../../../schemas/words/address.ts'
import { ownProxyHeader, proxyHeader } from '../../../wire/proxy-header.ts'
import { readProxyHeader } from '../../../wire/proxy-protocol.ts'

const address = fc.oneof(fc.ipV4(), fc.ipV6()).map(canonicalHost)
const end = fc.record({ address, port: fc.integer({ min: 0, max: 65_535 }) })

test('who a header is for is what its reader finds', () => {
  fc.assert(
    fc.property(fc.constantFrom('v1' as const, 'v2' as const), end, end, (version, client, reached) => {
      const header = proxyHeader(version, client, reached)
      const reading = readProxyHeader(Buffer.concat([header, Buffer.from('what follows')]))
      const peer = reading.kind === 'proxied' ? canonicalHost(reading.peer ?? '') : ''
      expect({ ...reading, peer }).toEqual({
        kind: 'proxied',
        peer: client.address,
        port: client.port,
        bytes: header.length,
      })
    }),
  )
})

test.each([
  {
    name: 'version 1, IPv4',
    bytes: proxyHeader('v1', { address: '203.0.113.7', port: 4_711 }, { address: '192.0.2.1', port: 443 }),
    expected: Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n'),
  },
  {
    name: 'version 1, IPv6 that came to IPv4',
    bytes: proxyHeader('v1', { address: '2001:db8::7', port: 4_711 }, { address: '192.0.2.1', port: 443 }),
    expected: Buffer.from('PROXY TCP6 2001:db8::7 :: 4711 443\r\n'),
  },
  {
    name: 'version 2, IPv4',
    bytes: proxyHeader('v2', { address: '203.0.113.7', port: 4_711 }, { address: '192.0.2.1', port: 443 }),
    expected: Buffer.from('0d0a0d0a000d0a515549540a2111000ccb007107c0000201126701bb', 'hex'),
  },
  {
    name: 'version 2, IPv6',
    bytes: proxyHeader('v2', { address: '2001:db8::7', port: 1 }, { address: '::1', port: 2 }),
    expected: Buffer.from(
      `0d0a0d0a000d0a515549540a21210024${'20010db8000000000000000000000007'}${'00000000000000000000000000000001'}00010002`,
      'hex',
    ),
  },
  { name: 'version 1, no client', bytes: ownProxyHeader('v1'), expected: Buffer.from('PROXY UNKNOWN\r\n') },
  {
    name: 'version 2, no client',
    bytes: ownProxyHeader('v2'),
    expected: Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'),
  },
])('a header of $name', ({ bytes, expected }) => {
  expect(bytes.toString('hex')).toBe(expected.toString('hex'))
})
