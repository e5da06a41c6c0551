import 'reflect-metadata'
import { createPrivateKey, type KeyObject, X509Certificate as NodeCertificate, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { CaError } from './ca-error.ts'

/** Random octets. */
export type Random = (count: number) => Uint8Array

/** A certificate, or several that follow each other, and the key of the first; PEM. */
export type CertificateAndKey = { readonly cert: string; readonly key: string }

/** What one certificate says. */
export type Draft = {
  /** Common name of its subject. */
  readonly subject: string
  readonly fromMs: number
  readonly toMs: number
  readonly extensions: readonly DraftExtension[]
}

export type DraftExtension =
  /** The holder signs certificates, through at most so many CAs below it. */
  | { readonly kind: 'authority'; readonly pathLength: number }
  /** The holder is a server. */
  | { readonly kind: 'server' }
  | { readonly kind: 'names'; readonly dns: readonly string[]; readonly addresses: readonly string[] }
  /** DER of an extension that the library does not know. */
  | { readonly kind: 'other'; readonly id: string; readonly isCritical: boolean; readonly value: Uint8Array }

const EC: webcrypto.EcKeyGenParams = { name: 'ECDSA', namedCurve: 'P-256' }
const SIGNATURE: webcrypto.EcdsaParams = { name: 'ECDSA', hash: 'SHA-256' }

/**
 * Makes a key of EC P-256 and a certificate for it.
 * @param signer absent: the certificate signs itself
 * @returns the certificate alone, without its chain
 * @throws CaError unreadable
 */
export async function signNew(draft: Draft, random: Random, signer?: CertificateAndKey): Promise<CertificateAndKey> {
  const keys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])
  const issuer = signer === undefined ? undefined : readSigner(signer)
  const signingKey = issuer === undefined ? keys.privateKey : await signingKeyOf(issuer.key)
  const subject = [{ CN: [draft.subject] }]
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(random),
    subject,
    issuer: issuer === undefined ? subject : issuer.certificate.subjectName,
    notBefore: new Date(draft.fromMs),
    notAfter: new Date(draft.toMs),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: SIGNATURE,
    extensions: [
      ...draft.extensions.flatMap(extensionsOf),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer?.certificate.publicKey ?? keys.publicKey),
    ],
  })
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
  }
}

/** 127 bits, and positive. @see RFC 5280 4.1.2.2: at most 20 octets */
function serialNumber(random: Random): string {
  const bytes = Uint8Array.from(random(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

function extensionsOf(extension: DraftExtension): x509.Extension[] {
  switch (extension.kind) {
    case 'authority':
      return [
        new x509.BasicConstraintsExtension(true, extension.pathLength, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ]
    case 'server':
      return [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ]
    case 'names': {
      const dns = extension.dns.map((value) => ({ type: 'dns' as const, value }))
      const ip = extension.addresses.map((value) => ({ type: 'ip' as const, value }))
      return [new x509.SubjectAlternativeNameExtension([...dns, ...ip])]
    }
    case 'other':
      return [new x509.Extension(extension.id, extension.isCritical, Buffer.from(extension.value))]
    default:
      return extension satisfies never
  }
}

/** What a list of revoked certificates says. */
export type RevocationDraft = {
  readonly fromMs: number
  readonly toMs: number
  readonly revoked: readonly { readonly serial: string; readonly atMs: number }[]
  /** Extensions of the list, DER, not critical. */
  readonly extensions: readonly { readonly id: string; readonly value: Uint8Array }[]
}

/** Signs a list of revoked certificates. @returns PEM @throws CaError unreadable */
export async function signRevocations(draft: RevocationDraft, signer: CertificateAndKey): Promise<string> {
  const { certificate, key } = readSigner(signer)
  const list = await x509.X509CrlGenerator.create({
    issuer: certificate.subjectName,
    thisUpdate: new Date(draft.fromMs),
    nextUpdate: new Date(draft.toMs),
    entries: draft.revoked.map(({ serial, atMs }) => ({ serialNumber: serial, revocationDate: new Date(atMs) })),
    signingAlgorithm: SIGNATURE,
    signingKey: await signingKeyOf(key),
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
      ...draft.extensions.map(({ id, value }) => new x509.Extension(id, false, Buffer.from(value))),
    ],
  })
  return `${x509.PemConverter.encode(list.rawData, 'X509 CRL')}\n`
}

/** DER of an extension of the first certificate; undefined when it has none of this kind. @throws CaError unreadable */
export function extensionOf(pem: string, id: string): Uint8Array | undefined {
  const value = readFirst(pem).getExtension(id)?.value
  return value === undefined ? undefined : new Uint8Array(value)
}

function readFirst(pem: string): x509.X509Certificate {
  try {
    return new x509.X509Certificate(new NodeCertificate(pem).raw)
  } catch (error) {
    throw new CaError('unreadable', 'not a certificate in PEM', error)
  }
}

function readSigner({ cert, key }: CertificateAndKey): { certificate: x509.X509Certificate; key: KeyObject } {
  const certificate = readFirst(cert)
  let read: KeyObject
  try {
    read = createPrivateKey(key)
  } catch {
    // what OpenSSL says of it could quote it
    throw new CaError('unreadable', 'the key of the CA is not a private key in PEM')
  }
  if (!new NodeCertificate(cert).checkPrivateKey(read))
    throw new CaError('unreadable', 'the key of the CA does not belong to its certificate')
  return { certificate, key: read }
}

async function signingKeyOf(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const pkcs8 = Buffer.from(key.export({ type: 'pkcs8', format: 'der' }))
  return await webcrypto.subtle.importKey('pkcs8', pkcs8, EC, false, ['sign'])
}
