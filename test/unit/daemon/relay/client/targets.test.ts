import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reconnectAfterMs } from '../../../../../daemon/relay/client/backoff.ts'
import { caaRecord } from '../../../../../daemon/relay/client/caa.ts'
import { createTargets } from '../../../../../daemon/relay/client/targets.ts'

const named = (target: { readonly address: { readonly host: string } } | undefined) => target?.address.host

test('a wait is any time up to a bound that doubles to half a minute', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const ms = reconnectAfterMs(failures, random)
      expect(ms).toBeGreaterThanOrEqual(0)
      expect(ms).toBeLessThanOrEqual(Math.min(30_000, 500 * 2 ** Math.min(failures - 1, 16)))
    }),
  )
  expect(reconnectAfterMs(1, 1)).toBe(500)
  expect(reconnectAfterMs(99, 1)).toBe(30_000)
})

test('the second tunnel goes to another relay than the first, once one is known', () => {
  const targets = createTargets(
    () => 0,
    () => 1,
  )
  targets.setOwn(['relay.example.org:443'])
  const first = targets.next([])
  if (first === undefined) throw new Error('there is one')
  expect(first.address).toEqual({
    host: 'relay.example.org',
    port: 443,
    servername: 'relay.example.org',
    mayBePrivate: true,
  })
  expect(named(targets.next([{ target: first, relayId: 'a' }]))).toBe('relay.example.org') // better than none
  first.relayId = 'a'
  targets.setTold(
    [
      { id: 'a', address: '192.0.2.1:31145' },
      { id: 'b', address: '192.0.2.2:31145' },
    ],
    { servername: 'relay.example.org', isInPrivate: false },
  )
  const second = targets.next([{ target: first, relayId: 'a' }])
  expect(second?.address).toEqual({
    host: '192.0.2.2',
    port: 31_145,
    servername: 'relay.example.org',
    mayBePrivate: false,
  })
  expect(targets.hasOther([{ target: first, relayId: 'a' }])).toBe(true)
})

test('a relay that failed gives way to another, and one that drains is left alone for as long as it says', () => {
  let at = 0
  const targets = createTargets(
    () => at,
    () => 1,
  )
  targets.setOwn(['a.example.org:443', 'b.example.org:443'])
  const first = targets.next([])
  if (first === undefined) throw new Error('there is one')
  targets.failed(first, 'refused', false)
  expect(named(targets.next([]))).toBe('b.example.org')
  expect(first.notBeforeMs).toBe(500)
  at = 100_000
  targets.ended(first, 'it leaves', 70_000, 5_000, false)
  expect([first.failures, first.notBeforeMs]).toEqual([1, 105_000])
  targets.ended(first, 'it has gone', 1_000, null, true)
  expect(first.notBeforeMs).toBe(104_000) // another tunnel is up: no hurry
})

test.each([
  { name: 'says that it leaves, and wants the node back at once', livedMs: 10, drainsAfterMs: 0 },
  { name: 'closes', livedMs: 10, drainsAfterMs: null },
])('a relay that $name again and again is dialled ever more rarely', ({ livedMs, drainsAfterMs }) => {
  let at = 0
  const targets = createTargets(
    () => at,
    () => 1,
  )
  targets.setOwn(['a.example.org:443'])
  let dials = 0
  while (at < 600_000) {
    const target = targets.next([])
    if (target === undefined) throw new Error('there is one')
    at = Math.max(at, target.notBeforeMs) + livedMs
    targets.ended(target, 'it leaves', livedMs, drainsAfterMs, false)
    dials += 1
  }
  expect(dials).toBeLessThan(30)
})

test.each([
  { name: 'on the Internet names', isInPrivate: false, hosts: ['192.0.2.7', 'b.example.org'] },
  {
    name: 'of a private network names',
    isInPrivate: true,
    hosts: ['127.0.0.1', '10.1.2.3', '[::1]', '[fd00::1]', '169.254.169.254', '192.0.2.7', 'b.example.org'],
  },
])('what a relay $name', ({ isInPrivate, hosts }) => {
  const targets = createTargets(
    () => 0,
    () => 1,
  )
  targets.setOwn(['relay.example.org:443'])
  const told = ['127.0.0.1', '10.1.2.3', '[::1]', '[fd00::1]', '169.254.169.254', '192.0.2.7', 'b.example.org']
  const peers = told.map((host, i) => ({ id: `r${i}`, address: `${host}:443` }))
  targets.setTold(peers, { servername: 'relay.example.org', isInPrivate })
  expect(
    targets
      .list()
      .slice(1)
      .map(({ address: { host } }) => host),
  ).toEqual(hosts.map((host) => host.replace(/^\[|\]$/g, '')))
})

test('a relay names no more than eight, and does not say which relay answers at a configured address', () => {
  const targets = createTargets(
    () => 0,
    () => 1,
  )
  targets.setOwn(['a.example.org:443', 'b.example.org:443'])
  const more = Array.from({ length: 64 }, (_, i) => ({ id: `r${i}`, address: `192.0.2.${i}:443` }))
  const peers = [{ id: 'a', address: 'b.example.org:443' }, ...more]
  targets.setTold(peers, { servername: 'a.example.org', isInPrivate: false })
  expect(targets.list().length).toBe(2 + 7)
  expect(targets.list()[1]?.relayId).toBeUndefined()
})

test('a relay that turns out to have a tunnel already is left alone for a while', () => {
  const targets = createTargets(
    () => 5_000,
    () => 1,
  )
  targets.setOwn(['a.example.org:443', 'b.example.org:443'])
  const [first, second] = targets.list()
  if (first === undefined || second === undefined) throw new Error('there are two')
  expect(targets.hasOther([{ target: first, relayId: 'a' }])).toBe(true)
  targets.wasDouble(second)
  expect(targets.hasOther([{ target: first, relayId: 'a' }])).toBe(false)
  expect(second.notBeforeMs).toBe(65_000)
})

test.each([
  { directory: 'https://acme-v02.api.letsencrypt.org/directory', issuer: 'letsencrypt.org' },
  { directory: 'https://ca.example.org/dir', issuer: 'ca.example.org' },
])('a CAA record binds a name to one account ($issuer)', ({ directory, issuer }) => {
  expect(caaRecord('a.example.org', { directory, url: 'https://ca/acct/1' })).toBe(
    `a.example.org. CAA 0 issue "${issuer}; accounturi=https://ca/acct/1; validationmethods=tls-alpn-01"`,
  )
})
