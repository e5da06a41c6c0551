import type { Config } from '../schemas/config/config.ts'

/** Where the certificates of the gateway come from. */
export type CertificateSource = 'acme' | 'files' | 'internal-ca' | 'none'

/** The first source that is set, in the order ACME, files, internal CA; none: plain HTTP alone. */
export function certificateSource({ tls, letsencrypt }: Pick<Config, 'tls' | 'letsencrypt'>): CertificateSource {
  if (letsencrypt.enabled) return 'acme'
  if (tls.files.cert !== undefined && tls.files.key !== undefined) return 'files'
  return tls.internal_ca ? 'internal-ca' : 'none'
}
