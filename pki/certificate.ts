import { createPrivateKey, X509Certificate } from 'node:crypto'

/** What a certificate says of itself. */
export type CertificateFacts = {
  readonly fromMs: number
  readonly toMs: number
  /** Of the asked names, those that it is not for. */
  readonly lost: readonly string[]
  /** undefined: there was no key to compare. */
  readonly matchesKey: boolean | undefined
}

/**
 * Reads the first certificate of a PEM text.
 * @param names DNS names that it should be for; wildcards of the certificate count
 * @param key PEM of its private key; undefined or empty when it cannot be read
 * @returns undefined for what OpenSSL cannot read
 */
export function readCertificate(
  pem: string,
  names: readonly string[],
  key: string | undefined,
): CertificateFacts | undefined {
  const certificate = parse(pem)
  if (certificate === undefined) return undefined
  return {
    fromMs: Date.parse(certificate.validFrom),
    toMs: Date.parse(certificate.validTo),
    lost: names.filter((name) => certificate.checkHost(name) === undefined),
    matchesKey: key === undefined || key === '' ? undefined : matches(certificate, key),
  }
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

function matches(certificate: X509Certificate, pem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(pem))
  } catch {
    return false // no key at all
  }
}
