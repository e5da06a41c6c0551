import { expect, test } from 'vitest'
import { addressList, clientAddress } from '../../../../daemon/admit/address.ts'

const list = addressList(['10.0.0.0/8', '192.168.1.7', 'fd00::/8', '::1'])

test.each([
  ['10.1.2.3', true],
  ['::ffff:10.1.2.3', true],
  ['192.168.1.7', true],
  ['192.168.1.8', false],
  ['fd12::1', true],
  ['2001:db8::1', false],
  ['::1', true],
])('%s is in the list: %s', (address, expected) => {
  expect(list.has(address)).toBe(expected)
})

const trusted = addressList(['10.0.0.0/8'])
test.each([
  { name: 'no proxy', peer: '1.2.3.4', header: undefined, client: '1.2.3.4' },
  { name: 'a liar', peer: '1.2.3.4', header: '10.0.0.1', client: '1.2.3.4' },
  { name: 'one proxy', peer: '10.0.0.1', header: '1.2.3.4', client: '1.2.3.4' },
  {
    name: 'two proxies, a forged first hop',
    peer: '10.0.0.1',
    header: '127.0.0.1, 1.2.3.4, 10.0.0.2',
    client: '1.2.3.4',
  },
  { name: 'nonsense', peer: '10.0.0.1', header: 'unknown', client: 'unknown' },
  { name: 'a proxy that speaks for itself', peer: '10.0.0.1', header: undefined, client: '10.0.0.1' },
  { name: 'an empty header', peer: '10.0.0.1', header: '', client: 'unknown' },
  { name: 'nothing', peer: '10.0.0.1', header: '1.2.3.4, ', client: 'unknown' },
  { name: 'a word before another proxy', peer: '10.0.0.1', header: '_hidden, 10.0.0.2', client: 'unknown' },
  { name: 'an address with a port', peer: '10.0.0.1', header: '203.0.113.9:4711', client: '203.0.113.9' },
  { name: 'an IPv6 address with a port', peer: '10.0.0.1', header: '[2001:db8::1]:4711', client: '2001:db8::1' },
  { name: 'an IPv6 address in brackets', peer: '10.0.0.1', header: '[2001:db8::1]', client: '2001:db8::1' },
  { name: 'the proxy of this host', peer: null, header: '1.2.3.4', client: '1.2.3.4' },
  { name: 'a proxy before the proxy of this host', peer: null, header: '1.2.3.4, 10.0.0.1', client: '1.2.3.4' },
  { name: 'the proxy of this host without a word', peer: null, header: undefined, client: 'unknown' },
  { name: 'mapped', peer: '::ffff:10.0.0.1', header: '::ffff:1.2.3.4', client: '1.2.3.4' },
])('the client behind: $name', ({ peer, header, client }) => {
  expect(clientAddress(peer, header, trusted)).toBe(client)
})

test('what is no address is in no list', () => {
  for (const address of ['unknown', '', '10.0.0.1:80']) expect(list.has(address)).toBe(false)
  expect(addressList(['0.0.0.0/0', '::/0']).has('unknown')).toBe(false)
})
