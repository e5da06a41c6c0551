import { expect, test } from 'vitest'
import { type RelaysFacts, relays } from '../../../../host/doctor/checks/relays.ts'
import type { RelayStatus } from '../../../../schemas/relay-admin.ts'

const STATUS: RelayStatus = {
  instance: 'default',
  version: '0.1.0',
  domain: 'gate.test',
  id: 'a'.repeat(32),
  pin: 'cGlu',
  certificate: 'trusted',
  listening: [],
  registry: { kind: 'etcd', state: 'live' },
  tunnels: 3,
  nodes: 2,
  visitors: 0,
  names: 1,
  relays: [],
}
const answered = (status: Partial<RelayStatus>): RelaysFacts[number]['answer'] => ({
  kind: 'status',
  status: { ...STATUS, ...status },
})

test.each<{ name: string; answer: RelaysFacts[number]['answer']; expected: readonly string[] }>([
  { name: 'one that serves', answer: answered({}), expected: ['ok'] },
  { name: 'one with a certificate of its own', answer: answered({ certificate: 'own' }), expected: ['ok', 'warn'] },
  {
    name: 'one without its registry',
    answer: answered({ registry: { kind: 'etcd', state: 'lost' } }),
    expected: ['warn'],
  },
  { name: 'one that is silent', answer: { kind: 'silent', reason: 'ENOENT' }, expected: ['fail'] },
  { name: 'one whose socket is closed to the caller', answer: { kind: 'denied' }, expected: ['skip'] },
])('a relay of this host: $name', ({ answer, expected }) => {
  const findings = relays.judge([{ instance: 'default', unit: 'gate-relay@default.service', answer }])
  expect(findings.map(({ status }) => status)).toEqual(expected)
})

test('a host without relays has nothing to say', () => {
  expect(relays.judge([]).map(({ status }) => status)).toEqual(['ok'])
})
