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

/** One certificate of a PEM text. */
export type PemCertificate = {
  /** The text of this one alone, with a line feed at its end. */
  readonly pem: string
  /** Of its subject; empty when it has none. */
  readonly subject: string
  /** Hexadecimal digits in lower case. */
  readonly serial: string
  readonly fromMs: number
  readonly toMs: number
  readonly isSelfSigned: boolean
  /** DNS names and addresses that it is for. */
  readonly names: readonly string[]
}

/** Every certificate of a PEM text, in its order; what OpenSSL cannot read is left out. */
export function certificatesIn(text: string): PemCertificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  return blocks.flatMap((block) => {
    const certificate = parse(block)
    if (certificate === undefined) return []
    const alternatives = certificate.subjectAltName?.split(', ') ?? []
    return [
      {
        pem: `${block}\n`,
        subject: /^CN=(.*)$/m.exec(certificate.subject ?? '')?.[1] ?? '',
        serial: certificate.serialNumber.toLowerCase(),
        fromMs: Date.parse(certificate.validFrom),
        toMs: Date.parse(certificate.validTo),
        isSelfSigned: certificate.checkIssued(certificate),
        names: alternatives.flatMap((name) => /^(?:DNS|IP Address):(.*)$/.exec(name)?.[1]?.toLowerCase() ?? []),
      },
    ]
  })
}
