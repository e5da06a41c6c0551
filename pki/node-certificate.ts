import 'reflect-metadata'
import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const ED25519 = { name: 'Ed25519' } as const
/** RFC 5280 section 4.1.2.5: no expiry is well defined; the key alone is what the other side knows. */
const FROM = new Date('2020-01-01T00:00:00Z')
const TO = new Date('9999-12-31T23:59:59Z')

/**
 * A certificate of an Ed25519 key that signs itself: TLS wants one, and its reader looks at the key alone. The same
 * key gives the same certificate each time (RFC 8032).
 * @param key PEM of PKCS #8
 * @param subject common name
 * @returns PEM
 */
export async function nodeCertificate(key: string, subject: string): Promise<string> {
  const read = createPrivateKey(key)
  if (read.asymmetricKeyType !== 'ed25519') throw new Error('the key of a node is not of the kind Ed25519')
  const pkcs8 = Buffer.from(read.export({ type: 'pkcs8', format: 'der' }))
  const spki = Buffer.from(createPublicKey(read).export({ type: 'spki', format: 'der' }))
  const { subtle } = webcrypto
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: [{ CN: [subject] }],
    notBefore: FROM,
    notAfter: TO,
    signingAlgorithm: ED25519,
    keys: {
      privateKey: await subtle.importKey('pkcs8', pkcs8, ED25519, false, ['sign']),
      publicKey: await subtle.importKey('spki', spki, ED25519, true, ['verify']),
    },
    extensions: [new x509.BasicConstraintsExtension(false, undefined, true)],
  })
  return `${certificate.toString('pem')}\n`
}
