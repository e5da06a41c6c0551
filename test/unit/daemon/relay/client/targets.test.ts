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
  expect(first.address).toEqual({ host: 'relay.example.org', port: 443, servername: 'relay.example.org' })
  expect(named(targets.next([{ target: first, relayId: 'a' }]))).toBe('relay.example.org') // better than none
  first.relayId = 'a'
  targets.setTold(
    [
      { id: 'a', address: '192.0.2.1:31145' },
      { id: 'b', address: '192.0.2.2:31145' },
    ],
    'relay.example.org',
  )
  const second = targets.next([{ target: first, relayId: 'a' }])
  expect(second?.address).toEqual({ host: '192.0.2.2', port: 31_145, servername: 'relay.example.org' })
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
  { directory: 'https://acme-v02.api.letsencrypt.org/directory', issuer: 'letsencrypt.org' },
  { directory: 'https://ca.example.org/dir', issuer: 'ca.example.org' },
])('a CAA record binds a name to one account ($issuer)', ({ directory, issuer }) => {
  expect(caaRecord('a.example.org', { directory, url: 'https://ca/acct/1' })).toBe(
    `a.example.org. CAA 0 issue "${issuer}; accounturi=https://ca/acct/1; validationmethods=tls-alpn-01"`,
  )
})
