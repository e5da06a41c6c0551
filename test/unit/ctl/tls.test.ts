import { afterAll, afterEach, expect, test, vi } from 'vitest'
import type { AdminCertificates } from '../../../daemon/admin/routes/tls.ts'
import type { CertificateStatus, TlsStatus } from '../../../schemas/admin-tls.ts'
import { API_ANSWERS } from '../../../schemas/api/answers.ts'
import { startAdminDaemon } from '../../support/admin-daemon.ts'
import { gatectl } from '../../support/gatectl.ts'
import { CERTIFICATE, TLS } from '../../support/tls-status.ts'

vi.useFakeTimers({ now: Date.parse('2026-12-01T00:00:00Z'), toFake: ['Date'] })
afterEach(() => vi.setSystemTime(Date.parse('2026-12-01T00:00:00Z')))
afterAll(() => vi.useRealTimers())

/** Runs a command against a daemon whose certificates are so. */
async function ctl(args: string, status: TlsStatus, renew: AdminCertificates['renew'] = () => Promise.resolve()) {
  const daemon = await startAdminDaemon(undefined, undefined, {}, { status: () => status, renew })
  try {
    return await gatectl(args.split(' '), { env: { GATE_ADMIN_SOCKET: daemon.socketPath } })
  } finally {
    await daemon.stop()
  }
}

test('tls status lists the certificates and the account', async () => {
  const { stdout, code } = await ctl('tls status', TLS)
  expect(code).toBe(0)
  expect(stdout).toMatchInlineSnapshot(`
    "NAME                 SOURCE  STATE  EXPIRES                  RENEWED     ISSUER
    ai.example.org (+1)  acme    ok     2027-01-30 (in 60 days)  in 30 days  CN=E7, O=Let's Encrypt, C=US

    account https://acme-v02.api.letsencrypt.org/acme/acct/1 (admin@example.org)
    "
  `)
})

test('tls status says where clients are sent that no certificate is for', async () => {
  const { stdout, code } = await ctl('tls status', { ...TLS, uncovered_host: 'other.example.org' })
  expect(code).toBe(3)
  expect(stdout).toMatch(
    /\nother\.example\.org: no certificate is for it, and server\.external_url sends clients there\n {2}certify/,
  )
})

const { served, renews_at: _at, renews_because: _because, ...unserved } = CERTIFICATE
const FAILED = { at: '2026-11-30T12:00:00.000Z', message: 'DNS: no A record\u001b[2J' }
const ALARM = { since: '2026-11-30T12:00:00.000Z', message: 'it was not renewed' }
const FILES: CertificateStatus = { ...unserved, ...(served && { served }), source: 'files' }

test.each<{ name: string; certificate: CertificateStatus; code: number; says: RegExp }>([
  { name: 'none yet', certificate: unserved, code: 0, says: /acme +none yet +- +when its files change +-$/m },
  { name: 'the first being got', certificate: { ...unserved, renewing: true }, code: 0, says: /acme +being got / },
  { name: 'being renewed', certificate: { ...CERTIFICATE, renewing: true }, code: 0, says: /acme +being renewed / },
  {
    name: 'of files',
    certificate: FILES,
    code: 0,
    says: /files +ok +2027-01-30 \(in 60 days\) +when its files change/,
  },
  {
    name: 'tried again',
    certificate: { ...CERTIFICATE, last_error: FAILED },
    code: 0,
    says: /retrying[\s\S]*the last attempt failed, and will be repeated\n {2}2026-11-30T12:00:00.000Z: DNS: no A record\\u001b/,
  },
  {
    name: 'not renewed in time',
    certificate: { ...CERTIFICATE, alarm: { kind: 'expiring', ...ALARM }, last_error: FAILED },
    code: 3,
    says: /expiring[\s\S]*ai.example.org: it was not renewed\n.*\n {2}gatectl doctor says more; gatectl tls renew ai.example.org tries again now/,
  },
  {
    name: 'absent, of which the alarm says why',
    certificate: {
      ...unserved,
      alarm: { kind: 'absent', ...ALARM, message: `there is none: ${FAILED.message}` },
      last_error: FAILED,
    },
    code: 3,
    says: /there is none: DNS: .*\n {2}gatectl doctor says more/,
  },
  {
    name: 'files that cannot be used',
    certificate: { ...FILES, alarm: { kind: 'refused-files', ...ALARM } },
    code: 3,
    says: /refused-files[\s\S]*\n {2}put a certificate and its key where tls.files says/,
  },
])('tls status of a certificate: $name', async ({ certificate, code, says }) => {
  const run = await ctl('tls status', { certificates: [certificate] })
  expect(run.stdout).toMatch(says)
  expect(run.code).toBe(code)
})

test('tls status says that nothing is served', async () => {
  expect((await ctl('tls status', { certificates: [] })).stdout).toMatch(/^this daemon serves no TLS; see tls /)
})

test.each([
  { args: 'tls status --json', route: 'GET /api/admin/tls' },
  { args: 'tls renew ai.example.org --json', route: 'POST /api/admin/tls/{name}/renew' },
] as const)('gatectl $args prints the shape of $route', async ({ args, route }) => {
  const { stdout } = await ctl(args, TLS)
  expect(API_ANSWERS[route].safeParse(JSON.parse(stdout)).error).toBeUndefined()
})

test('tls renew says until when the new one is good', async () => {
  expect((await ctl('tls renew ai.example.org', TLS)).stdout).toBe(
    "ai.example.org: until 2027-01-30T00:00:00.000Z (in 60 days), by CN=E7, O=Let's Encrypt, C=US\n",
  )
  expect((await ctl('tls renew ai.example.org', { certificates: [unserved] })).stdout).toMatch(/no certificate yet/)
})

test('tls renew says why there is none', async () => {
  const run = await ctl('tls renew ai.example.org', TLS, () => Promise.reject(new Error('CAA forbids it')))
  expect(run).toMatchObject({ code: 1, stdout: '' })
  expect(run.stderr).toMatch(/^gatectl: ai.example.org: CAA forbids it\n.*gatectl doctor/)
})

test('completion knows the certificates', async () => {
  expect((await ctl('complete certificate', TLS)).stdout).toBe('ai.example.org\n')
})

test('tls renew at a daemon without TLS names what would switch it on', async () => {
  const { stderr, code } = await ctl('tls renew ai.example.org', { certificates: [] }, () =>
    Promise.reject(new RangeError('no')),
  )
  expect(code).toBe(1)
  expect(stderr).toContain('letsencrypt.enabled, tls.files and tls.internal_ca are not set')
})
