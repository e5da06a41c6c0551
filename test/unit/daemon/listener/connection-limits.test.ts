import { Socket } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectionLimits, createClientConnections } from '../../../../daemon/listener/connection-limits.ts'
import type { LogFields } from '../../../../schemas/words/log.ts'

const [CONFIGURED, FILES] = ['server.max_connections', 'the limit of open files'] as const
test.each([
  { name: 'the usual limit of a service', limit: 65_536, open: 40, most: 20_000, clients: 20_000, bound: CONFIGURED },
  { name: 'B12: 64 descriptors', limit: 64, open: 30, most: 20_000, clients: 9, bound: FILES },
  { name: 'half of what is free', limit: 1_024, open: 30, most: 20_000, clients: 489, bound: FILES },
  { name: 'just enough', limit: 1_024, open: 30, most: 489, clients: 489, bound: CONFIGURED },
  { name: 'no descriptor left at all', limit: 32, open: 32, most: 100, clients: 1, bound: FILES },
])('$name: $clients clients by $bound', ({ limit, open, most, clients, bound }) => {
  expect(connectionLimits({ limit, open }, most)).toMatchObject({ clients, bound })
})

test('where the limit is not known, the configuration alone bounds', () => {
  expect(connectionLimits(null, 7)).toEqual({ clients: 7, bound: CONFIGURED, upstreams: Number.POSITIVE_INFINITY })
})

test('all connections together leave descriptors for everything else', () => {
  const inputs = [fc.nat(200_000), fc.nat(100), fc.integer({ min: 1, max: 50_000 })] as const
  fc.assert(
    fc.property(...inputs, (limit, open, most) => {
      const { clients, upstreams } = connectionLimits({ limit, open }, most)
      expect(clients).toBeGreaterThanOrEqual(1)
      expect(clients).toBeLessThanOrEqual(most)
      if (limit > open + 16 + 2 + 1) expect(clients + upstreams).toBeLessThanOrEqual(limit - open - 16)
    }),
  )
})

test('listeners share one limit, and a burst that it refuses is a line for each of them', () => {
  const lines: (LogFields | undefined)[] = []
  let nowMs = 0
  const connections = createClientConnections(
    { clients: 2, bound: FILES },
    () => nowMs,
    (_, _message, fields) => void lines.push(fields),
  )
  const [https, http] = ['https://127.0.0.1:8443', 'http://127.0.0.1:8080']
  const first = new Socket()
  expect(connections.take(first, https)).toBe(true)
  expect(connections.take(new Socket(), http)).toBe(true)
  for (let i = 0; i < 600; i += 1) {
    expect(connections.take(new Socket(), https)).toBe(false)
    expect(connections.take(new Socket(), http)).toBe(false)
  }
  const reason = 'the limit of open files is reached'
  expect(lines).toEqual([
    { url: https, reason, count: 2 },
    { url: http, reason, count: 2 },
  ])
  first.emit('close')
  expect(connections.take(new Socket(), https)).toBe(true)
  nowMs = 60_000
  expect(connections.take(new Socket(), https)).toBe(false)
  expect(lines).toHaveLength(3)
})
