import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { createAddressLimit } from '../../../../daemon/listener/address-limit.ts'

const MOST = 4

function limitAt(most = MOST) {
  const lines: unknown[] = []
  const clock = { ms: 0 }
  const limit = createAddressLimit({
    most: () => most,
    isProxy: (address) => address === '192.0.2.1',
    now: () => clock.ms,
    log: (_level, _message, fields) => void lines.push(fields),
  })
  /** @returns those that were taken */
  const connect = (peer: string | null, times: number): Socket[] =>
    Array.from({ length: times }, () => new Socket()).filter((socket) => limit.take(socket, peer))
  return { limit, lines, clock, connect }
}

test.each([
  { name: 'an address has as many as it may', peers: ['203.0.113.9'], expected: MOST },
  { name: 'wrapped in IPv6 it is the same', peers: ['203.0.113.9', '::ffff:203.0.113.9'], expected: MOST },
  { name: 'a /64 is one client', peers: ['2001:db8::1', '2001:db8:0:0:ffff::2'], expected: MOST },
  { name: 'two of them are two', peers: ['2001:db8::1', '2001:db8:0:1::1'], expected: 2 * MOST },
  { name: 'others are not in its way', peers: ['203.0.113.9', '203.0.113.10'], expected: 2 * MOST },
  { name: 'a trusted proxy speaks for many', peers: ['192.0.2.1'], expected: 100 },
  { name: 'so does this host', peers: ['127.0.0.1', '::1', '::ffff:127.0.0.1'], expected: 300 },
  { name: 'and the proxy at its socket', peers: [null], expected: 100 },
])('$name', ({ peers, expected }) => {
  const { connect } = limitAt()
  expect(peers.flatMap((peer) => connect(peer, 100))).toHaveLength(expected)
})

test('what is closed makes room, as fast as a client may begin', () => {
  const { clock, connect } = limitAt()
  const first = connect('203.0.113.9', MOST)
  for (const socket of first) socket.emit('close')
  expect(connect('203.0.113.9', 1)).toEqual([])
  clock.ms = 1_000
  expect(connect('203.0.113.9', MOST)).toHaveLength(MOST / 2)
  clock.ms = 100_000
  expect(connect('203.0.113.9', MOST)).toHaveLength(MOST / 2) // the others are still open
})

test('a flood is one line a minute, and names who', () => {
  const { lines, clock, connect } = limitAt()
  for (let second = 0; second < 60; second += 1) {
    clock.ms = second * 1_000
    connect('203.0.113.9', 50)
  }
  const reason = 'server.max_connections_per_address is reached'
  expect(lines).toEqual([{ client: '203.0.113.9', reason, count: MOST }])
})

test('addresses that are gone are forgotten', () => {
  const { limit, clock, connect } = limitAt()
  for (let i = 0; i < 10_000; i += 1) {
    clock.ms += 1
    for (const socket of connect(`10.0.${i >> 8}.${i & 255}`, 1)) socket.emit('close')
  }
  expect(limit.size()).toBeLessThanOrEqual(3_001)
  const [kept] = connect('203.0.113.9', 1)
  clock.ms += 10_000
  connect('203.0.113.10', 1)
  expect(limit.size()).toBe(2)
  kept?.emit('close')
})
