import { expect, test } from 'vitest'
import { type RelayFacts, relay } from '../../../../host/doctor/checks/relay.ts'
import type { RelayStatus } from '../../../../schemas/admin-relay.ts'
import { RELAYED } from '../../../support/relay-status.ts'
import { pageOf } from './page.ts'

const known = (status: Partial<RelayStatus>, flaw?: string): RelayFacts => ({
  kind: 'known',
  status: { ...RELAYED, ...status },
  reached: [{ name: 'me.relay.example.org', relay: 'relay.example.org:443', flaw }],
})
const FAILED = { relay: 'r.example.org:443', error: 'ECONNREFUSED', attempts: 1, again_at: '2026-12-01T00:00:00.000Z' }

test.each<{ name: string; facts: RelayFacts; page: RegExp }>([
  { name: 'a daemon that does not say', facts: { kind: 'unknown' }, page: /^skip relays/ },
  { name: 'none', facts: known({ enabled: false }), page: /^ok no relay is used$/ },
  {
    name: 'all well',
    facts: known({}),
    page: /^ok tunnels to .*\nok https:\/\/me\.relay\.example\.org answers through relay\.example\.org:443$/,
  },
  {
    name: 'no tunnel',
    facts: known({ tunnels: [], failed: [FAILED] }),
    page: /^fail no tunnel to a relay is up\n {2}r\.example\.org:443: ECONNREFUSED/,
  },
  {
    name: 'one relay alone',
    facts: known({ tunnels: RELAYED.tunnels.slice(0, 1), failed: [FAILED] }),
    page: /^ok tunnels to .*\nwarn one relay alone is reached/,
  },
  {
    name: 'no answer from outside',
    facts: known({}, 'certificate has expired'),
    page: /\nfail https:\/\/me\.relay.* does not answer through .*\n {2}certificate has expired\n/,
  },
  {
    name: 'a key that cannot be used',
    facts: known({ flaw: 'no key' }),
    page: /^fail the gateway cannot use relays\n {2}no key/,
  },
  {
    name: 'a name that is taken',
    facts: known({ refused: [{ name: 'me', result: 'taken' }] }),
    page: /\nwarn the relay does not give the name me\n {2}taken/,
  },
  {
    name: 'a backend that does not answer',
    facts: known({
      backends: [
        { names: ['photos.example.net'], address: '127.0.0.1:8443', proxy_protocol: 'v2', error: 'ECONNREFUSED' },
        { names: ['files.example.net'], address: 'unix:/run/files.sock', proxy_protocol: 'off' },
      ],
    }),
    page: /\nfail the server of photos\.example\.net does not answer\n {2}127\.0\.0\.1:8443: ECONNREFUSED/,
  },
  {
    name: 'a foreign certificate',
    facts: known({ logs: { asked_at: FAILED.again_at, unknown: [{ name: 'a.example.org', serial: 'ff' }] } }),
    page: /\nfail a certificate for a\.example\.org is not from this gateway\n/,
  },
])('relays: $name', ({ facts, page }) => {
  expect(pageOf(relay, facts)).toMatch(page)
})
