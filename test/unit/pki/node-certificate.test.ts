import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { nodeCertificate } from '../../../pki/node-certificate.ts'

const pem = (kind: 'ed25519' | 'x25519') =>
  generateKeyPairSync(kind as 'ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()

test('a certificate of a node signs itself, and is the same each time', async () => {
  const key = pem('ed25519')
  const made = await nodeCertificate(key, 'abc')
  const certificate = new X509Certificate(made)
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.publicKey.asymmetricKeyType).toBe('ed25519')
  expect(certificate.subject).toBe('CN=abc')
  expect(certificate.ca).toBe(false)
  expect(await nodeCertificate(key, 'abc')).toBe(made)
})

test('another kind of key is refused', async () => {
  await expect(nodeCertificate(pem('x25519'), 'abc')).rejects.toThrow('not of the kind Ed25519')
})
