import type { CertificateStatus, TlsStatus } from '../../schemas/admin-tls.ts'

/** A certificate as the daemon shows one that is well. */
export const CERTIFICATE: CertificateStatus = {
  name: 'ai.example.org',
  names: ['ai.example.org', '*.ai.example.org'],
  source: 'acme',
  path: '/var/lib/gate/tls/certificates/ai.example.org/cert.pem',
  served: {
    issuer: "CN=E7, O=Let's Encrypt, C=US",
    serial: '05c0ffee',
    sha256: 'ab'.repeat(32),
    key: 'ecdsa P-256',
    not_before: '2026-11-01T00:00:00.000Z',
    not_after: '2027-01-30T00:00:00.000Z',
  },
  renewing: false,
  renews_at: '2026-12-31T04:00:00.000Z',
  renews_because: 'life',
  renewals: { succeeded: 2, failed: 0 },
}

export const TLS: TlsStatus = {
  certificates: [CERTIFICATE],
  account: {
    directory: 'https://acme-v02.api.letsencrypt.org/directory',
    url: 'https://acme-v02.api.letsencrypt.org/acme/acct/1',
    email: 'admin@example.org',
  },
}
