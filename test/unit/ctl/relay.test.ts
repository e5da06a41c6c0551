import { afterAll, expect, test, vi } from 'vitest'
import type { RelayStatus } from '../../../schemas/admin-relay.ts'
import { API_ANSWERS } from '../../../schemas/api/answers.ts'
import { startAdminDaemon } from '../../support/admin-daemon.ts'
import { gatectl } from '../../support/gatectl.ts'
import { RELAYED } from '../../support/relay-status.ts'

vi.useFakeTimers({ now: Date.parse('2026-12-01T00:00:00Z'), toFake: ['Date'] })
afterAll(() => vi.useRealTimers())

async function ctl(args: string, status: RelayStatus) {
  const daemon = await startAdminDaemon(undefined, undefined, {}, undefined, status)
  try {
    return await gatectl(args.split(' '), { env: { GATE_ADMIN_SOCKET: daemon.socketPath } })
  } finally {
    await daemon.stop()
  }
}

test('relay status says names, tunnels, and what keeps others from a certificate', async () => {
  const { stdout, code } = await ctl('relay status', RELAYED)
  expect(code).toBe(0)
  expect(stdout).toMatchInlineSnapshot(`
    "node abcdefghijklmnopqrstuvwxyz234567
    https://abcdefghijklmnopqrstuvwxyz234567.relay.example.org
    https://me.relay.example.org

    RELAY                  FOR      RTT    VISITORS
    relay.example.org:443  2 hours  12 ms  3
    192.0.2.7:31145        1 hour   -      0

    with these records in DNS, no one else gets a certificate for the names, nor the relay:
      abcdefghijklmnopqrstuvwxyz234567.relay.example.org. CAA 0 issue "letsencrypt.org; accounturi=https://ca.example.org/1; validationmethods=tls-alpn-01"
    "
  `)
})

test.each<{ name: string; status: Partial<RelayStatus>; says: RegExp; code: number }>([
  { name: 'off', status: { enabled: false }, says: /^this gateway uses no relay; set relay\.enable/, code: 0 },
  {
    name: 'without a tunnel',
    status: {
      tunnels: [],
      failed: [
        { relay: 'r.example.org:443', error: 'no answer in 10 s', attempts: 3, again_at: '2026-12-01T00:00:30.000Z' },
      ],
    },
    says: /no tunnel is up[\s\S]*r\.example\.org:443: no answer in 10 s; tried again in/,
    code: 3,
  },
  {
    name: 'without a name that is wanted',
    status: { refused: [{ name: 'me', result: 'taken' }] },
    says: /me: the relay does not give it: taken/,
    code: 3,
  },
  {
    name: 'with a backend that does not answer',
    status: {
      names: [{ name: 'photos.example.net', backend: '127.0.0.1:8443' }],
      backends: [
        { names: ['photos.example.net'], address: '127.0.0.1:8443', proxy_protocol: 'v2', error: 'ECONNREFUSED' },
      ],
    },
    says: /https:\/\/photos\.example\.net -> 127\.0\.0\.1:8443[\s\S]*photos\.example\.net: 127\.0\.0\.1:8443 does not answer: ECONNREFUSED/,
    code: 3,
  },
  {
    name: 'with a certificate in a log',
    status: { logs: { asked_at: '2026-12-01T00:00:00.000Z', unknown: [{ name: 'a.example.org', serial: 'ff' }] } },
    says: /a\.example\.org: a log has certificate ff, which this gateway did not get/,
    code: 3,
  },
  { name: 'with a key that cannot be used', status: { flaw: 'no key' }, says: /not reachable: no key/, code: 0 },
])('relay status $name', async ({ status, says, code }) => {
  const run = await ctl('relay status', { ...RELAYED, ...status })
  expect(run.stdout).toMatch(says)
  expect(run.code).toBe(code)
})

test('relay status --json prints the shape of GET /api/admin/relay', async () => {
  const { stdout } = await ctl('relay status --json', RELAYED)
  expect(API_ANSWERS['GET /api/admin/relay'].parse(JSON.parse(stdout))).toEqual(RELAYED)
})
