import { createPrivateKey, X509Certificate } from 'node:crypto'
import forge from 'node-forge'
import { certificatesIn } from '../certificate.ts'
import { CaError } from './ca-error.ts'

const { asn1, pki } = forge
const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class
const { INTEGER, NULL, OCTETSTRING, OID, SEQUENCE, SET, BMPSTRING } = asn1.Type

/** What goes into one file: certificates, the holder's first, and its key where it is to hold one; PEM. */
export type Bundle = {
  readonly cert: string
  readonly key?: string
  /** What lists of certificates show; ASCII. */
  readonly label: string
}

/**
 * How the key is locked. compatible: what every phone reads, also those of 2015 (3DES, SHA-1); modern: AES-256 with
 * PBKDF2 and SHA-256, from iOS 18, macOS 15 and Android 14 on.
 */
export type Lock = 'compatible' | 'modern'

const PASSWORD_MIN = 8
/** Of the password, so that guessing it takes time. */
const ROUNDS = 20_000
const SALT_BYTES = 16

/**
 * Packs certificates, and a key, into PKCS#12. The library's own way knows keys of RSA only, so the file is put together
 * here, of its ASN.1 and its ciphers.
 * @param password of printable ASCII, PASSWORD_MIN characters or more: phones read others differently
 * @throws CaError unreadable for what is no certificate or key; RangeError for a password that does not do
 * @see RFC 7292
 */
export function packPkcs12(bundle: Bundle, password: string, lock: Lock = 'compatible'): Uint8Array {
  requirePassword(password)
  const certificates = certificatesIn(bundle.cert)
  const [first] = certificates
  if (first === undefined) throw new CaError('unreadable', 'not a certificate in PEM')
  const own = attributes(bundle, first.pem)
  const bags = certificates.map(({ pem }, i) => certificateBag(pem, i === 0 ? [own] : []))
  const contents = [dataContent(sequence(...bags))]
  if (bundle.key !== undefined) contents.push(dataContent(sequence(keyBag(bundle.key, password, lock, own))))
  const safe = toDer(sequence(...contents))
  const file = sequence(integer(3), content(oid(pki.oids['data']), safe), mac(safe, password, lock))
  return Buffer.from(toDer(file), 'latin1')
}

/** @throws RangeError that does not hold the password */
function requirePassword(password: string): void {
  if (password.length < PASSWORD_MIN) throw new RangeError(`the password needs ${PASSWORD_MIN} characters or more`)
  if (!/^[\x20-\x7e]+$/.test(password))
    throw new RangeError('the password may hold letters, digits and marks of ASCII only')
}

/** By which readers know that the key belongs to the certificate, and what they show. */
function attributes({ label, key }: Bundle, pem: string): forge.asn1.Asn1 {
  const sha1 = forge.md.sha1.create()
  sha1.update(derOf(pem))
  const attribute = (id: string | undefined, type: forge.asn1.Type, value: string) =>
    sequence(oid(id), asn1.create(UNIVERSAL, SET, true, [asn1.create(UNIVERSAL, type, false, value)]))
  return asn1.create(UNIVERSAL, SET, true, [
    ...(key === undefined ? [] : [attribute(pki.oids['localKeyId'], OCTETSTRING, sha1.digest().getBytes())]),
    attribute(pki.oids['friendlyName'], BMPSTRING, label),
  ])
}

function certificateBag(pem: string, own: readonly forge.asn1.Asn1[]): forge.asn1.Asn1 {
  const value = sequence(oid(pki.oids['x509Certificate']), explicit(octets(derOf(pem))))
  return sequence(oid(pki.oids['certBag']), explicit(value), ...own)
}

function keyBag(pem: string, password: string, lock: Lock, own: forge.asn1.Asn1): forge.asn1.Asn1 {
  const pkcs8 = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  const ways = { compatible: { algorithm: '3des' }, modern: { algorithm: 'aes256', prfAlgorithm: 'sha256' } } as const
  const options = { count: ROUNDS, saltSize: SALT_BYTES, ...ways[lock] }
  const locked = pki.encryptPrivateKeyInfo(asn1.fromDer(pkcs8.toString('latin1')), password, options)
  return sequence(oid(pki.oids['pkcs8ShroudedKeyBag']), explicit(locked), own)
}

/** @see RFC 7292 4, Appendix B: 3 is the purpose "integrity" */
function mac(safe: string, password: string, lock: Lock): forge.asn1.Asn1 {
  const hash = lock === 'modern' ? 'sha256' : 'sha1'
  const salt = forge.random.getBytesSync(SALT_BYTES)
  const digest = () => forge.md[hash].create()
  const key = forge.pkcs12.generateKey(
    password,
    forge.util.createBuffer(salt),
    3,
    ROUNDS,
    digest().digestLength,
    digest(),
  )
  const hmac = forge.hmac.create()
  hmac.start(digest(), key)
  hmac.update(safe)
  const algorithm = sequence(oid(pki.oids[hash]), asn1.create(UNIVERSAL, NULL, false, ''))
  return sequence(sequence(algorithm, octets(hmac.getMac().getBytes())), octets(salt), integer(ROUNDS))
}

const derOf = (pem: string) => new X509Certificate(pem).raw.toString('latin1')
const toDer = (value: forge.asn1.Asn1) => asn1.toDer(value).getBytes()
const sequence = (...values: forge.asn1.Asn1[]) => asn1.create(UNIVERSAL, SEQUENCE, true, values)
const explicit = (value: forge.asn1.Asn1) => asn1.create(CONTEXT_SPECIFIC, 0 as forge.asn1.Type, true, [value])
const octets = (bytes: string) => asn1.create(UNIVERSAL, OCTETSTRING, false, bytes)
const integer = (value: number) => asn1.create(UNIVERSAL, INTEGER, false, asn1.integerToDer(value).getBytes())
const oid = (id = '') => asn1.create(UNIVERSAL, OID, false, asn1.oidToDer(id).getBytes())
const content = (type: forge.asn1.Asn1, bytes: string) => sequence(type, explicit(octets(bytes)))
const dataContent = (value: forge.asn1.Asn1) => content(oid(pki.oids['data']), toDer(value))
