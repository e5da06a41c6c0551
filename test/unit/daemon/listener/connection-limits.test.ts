import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectionLimits } from '../../../../daemon/listener/connection-limits.ts'

test.each([
  { name: 'the usual limit of a service', limit: 65_536, open: 40, most: 20_000, listeners: 1, clients: 20_000 },
  { name: 'B12: 64 descriptors', limit: 64, open: 30, most: 20_000, listeners: 1, clients: 9 },
  { name: 'two listeners', limit: 1_024, open: 30, most: 20_000, listeners: 2, clients: 244 },
  { name: 'no descriptor left at all', limit: 32, open: 32, most: 100, listeners: 1, clients: 1 },
])('$name: $clients clients', ({ limit, open, most, listeners, clients }) => {
  expect(connectionLimits({ limit, open }, most, listeners).clients).toBe(clients)
})

test('where the limit is not known, the configuration alone bounds', () => {
  expect(connectionLimits(null, 7, 1)).toEqual({ clients: 7, upstreams: Number.POSITIVE_INFINITY })
})

test('all connections together leave descriptors for everything else', () => {
  const inputs = [
    fc.nat(200_000),
    fc.nat(100),
    fc.integer({ min: 1, max: 50_000 }),
    fc.integer({ min: 1, max: 4 }),
  ] as const
  fc.assert(
    fc.property(...inputs, (limit, open, most, listeners) => {
      const { clients, upstreams } = connectionLimits({ limit, open }, most, listeners)
      expect(clients).toBeGreaterThanOrEqual(1)
      expect(clients).toBeLessThanOrEqual(most)
      if (limit > open + 16 + 2 * listeners + 1)
        expect(clients * listeners + upstreams).toBeLessThanOrEqual(limit - open - 16)
    }),
  )
})
