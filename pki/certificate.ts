import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { canonicalHost } from '../schemas/words/address.ts'

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

/** What a certificate looks like to operators. */
export type CertificateDescription = {
  /** Of the issuer, the common name first; empty when it has none. */
  readonly issuer: string
  /** Hexadecimal, lower case. */
  readonly serial: string
  /** Of the certificate, hexadecimal, lower case. */
  readonly sha256: string
  /** Such as `ecdsa P-256` or `rsa 2048`; `unknown` for what OpenSSL does not know. */
  readonly key: string
  /** Host names and addresses that it is for, as `canonicalHost` writes them. */
  readonly names: readonly string[]
}

/** Describes the first certificate of a PEM text. @returns undefined for what OpenSSL cannot read */
export function describeCertificate(pem: string): CertificateDescription | undefined {
  const certificate = parse(pem)
  if (certificate === undefined) return undefined
  return {
    issuer: (certificate.issuer ?? '').split('\n').toReversed().join(', '),
    serial: certificate.serialNumber.toLowerCase(),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    key: keyText(certificate),
    names: Array.from(certificate.subjectAltName?.matchAll(SUBJECT_NAME) ?? [], ([, name]) =>
      canonicalHost(name ?? ''),
    ),
  }
}

/** As Node writes them: `DNS:a.example.org, IP Address:192.0.2.1`. */
const SUBJECT_NAME = /(?:DNS|IP Address):([^,\s"]+)/g
const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

function keyText(certificate: X509Certificate): string {
  const publicKey = publicKeyOf(certificate)
  if (publicKey === undefined) return 'unknown'
  const { namedCurve = '', modulusLength } = publicKey.asymmetricKeyDetails ?? {}
  switch (publicKey.asymmetricKeyType) {
    case 'ec':
      return `ecdsa ${CURVES[namedCurve] ?? namedCurve}`
    case 'rsa':
      return `rsa ${modulusLength}`
    default:
      return publicKey.asymmetricKeyType ?? 'unknown'
  }
}

/** @returns undefined for a kind of key or a curve that OpenSSL does not know */
function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey
  } catch {
    return undefined
  }
}

/** @returns undefined for what OpenSSL cannot read, also of its dates */
function parse(pem: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem)
    const isDated = [certificate.validFrom, certificate.validTo].every((date) => Number.isFinite(Date.parse(date)))
    return isDated ? certificate : undefined
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

/** Why a PEM text cannot be used as a private key; undefined: it can. */
export function keyFlaw(pem: string): 'encrypted' | 'unreadable' | undefined {
  try {
    createPrivateKey(pem)
    return undefined
  } catch {
    return /^(?:-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m.test(pem) ? 'encrypted' : 'unreadable'
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
        names: alternatives.flatMap((text) => {
          const name = /^(?:DNS|IP Address):(.*)$/.exec(text)?.[1]
          return name === undefined ? [] : [canonicalHost(name)]
        }),
      },
    ]
  })
}

/** Whether the first certificate of a PEM text was signed with the key of another. */
export function isSignedBy(pem: string, issuerPem: string): boolean {
  const [certificate, issuer] = [parse(pem), parse(issuerPem)]
  const publicKey = issuer === undefined ? undefined : publicKeyOf(issuer)
  return certificate !== undefined && publicKey !== undefined && certificate.verify(publicKey)
}

/** Whether a private key, PEM, is that of the first certificate of a PEM text. */
export function matchesKey(pem: string, key: string): boolean {
  const certificate = parse(pem)
  return certificate !== undefined && matches(certificate, key)
}
