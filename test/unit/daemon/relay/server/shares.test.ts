import { expect, test } from 'vitest'
import { createShares, NETWORK_SHARE } from '../../../../../daemon/relay/server/shares.ts'
import { addressBlocks } from '../../../../../schemas/words/address.ts'

/** By address. */
function sharesOf(most: number) {
  const { take, size } = createShares(() => most)
  return { take: (address: string) => take(addressBlocks(address)), size }
}

test.each([
  { what: 'IPv4', host: (i: number) => `192.0.2.${i}`, elsewhere: '192.0.3.1' },
  { what: 'IPv6', host: (i: number) => `2001:db8:0:${i}::1`, elsewhere: '2001:db8:1::1' },
])('one address has its share, and its network that of a few addresses: $what', ({ host, elsewhere }) => {
  const shares = sharesOf(2)
  const first = shares.take(host(1))
  expect(shares.take(host(1))).not.toBeNull()
  expect(shares.take(host(1))).toBeNull()
  for (let i = 2; i <= NETWORK_SHARE; i += 1) for (const _ of [1, 2]) expect(shares.take(host(i))).not.toBeNull()
  expect(shares.take(host(NETWORK_SHARE + 1))).toBeNull()
  expect(shares.take(elsewhere)).not.toBeNull()
  first?.()
  first?.()
  expect(shares.take(host(NETWORK_SHARE + 1))).not.toBeNull()
  expect(shares.take(host(NETWORK_SHARE + 2))).toBeNull()
})

test('nothing is left of what has ended', () => {
  const shares = sharesOf(10)
  const releases = Array.from({ length: 20 }, (_, i) => shares.take(`2001:db8:${i}::1`))
  expect(shares.size()).toBe(40)
  for (const release of releases) release?.()
  expect(shares.size()).toBe(0)
})
