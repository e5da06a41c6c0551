import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeCertificate, isSignedBy, readCertificate } from '../../../pki/certificate.ts'
import { throwAwayCertificate } from '../../support/certificate.ts'
import { makeIdentity } from '../../support/identities.ts'
import { hasProgram } from '../../support/programs.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const DAY_MS = 86_400_000
const hasOpenssl = hasProgram('openssl')
let place: ReturnType<typeof temporaryDirectory>
let [cert, key, otherKey] = ['', '', '']

beforeAll(() => {
  place = temporaryDirectory()
  if (!hasOpenssl) return
  const other = throwAwayCertificate(place.path, ['other.example'])
  otherKey = readFileSync(other.key, 'utf8')
  const made = throwAwayCertificate(place.path, ['ai.example.org', '*.ai.example.org'])
  ;[cert, key] = [readFileSync(made.cert, 'utf8'), readFileSync(made.key, 'utf8')]
})
afterAll(() => place.remove())

test.skipIf(!hasOpenssl).each([
  { name: 'its own names', names: ['ai.example.org', 'chat.ai.example.org'], lost: [] },
  { name: 'a name of two labels under the wildcard', names: ['a.b.ai.example.org'], lost: ['a.b.ai.example.org'] },
  { name: 'another name beside its own', names: ['ai.example.org', 'example.org'], lost: ['example.org'] },
  { name: 'no name', names: [], lost: [] },
])('a certificate and $name (needs openssl)', ({ names, lost }) => {
  expect(readCertificate(cert, names, undefined)).toMatchObject({ lost, matchesKey: undefined })
})

test.skipIf(!hasOpenssl)(
  'its dates are milliseconds, its key is told from another and from none (needs openssl)',
  () => {
    const read = (pem: string | undefined) => readCertificate(cert, [], pem)
    const { fromMs = 0, toMs = 0 } = read(key) ?? {}
    expect(toMs - fromMs).toBe(2 * DAY_MS)
    expect(read(key)?.matchesKey).toBe(true)
    expect(read(otherKey)?.matchesKey).toBe(false)
    expect(read('no key')?.matchesKey).toBe(false)
    expect(read('')?.matchesKey).toBeUndefined()
  },
)

test.each(['', 'no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
  'what is no certificate is none: %j',
  (text) => expect(readCertificate(text, [], undefined)).toBeUndefined(),
)

test.skipIf(!hasOpenssl)('of a chain the first one counts (needs openssl)', () => {
  const chain = cert + readFileSync(join(place.path, 'cert.pem'), 'utf8')
  expect(readCertificate(chain, ['ai.example.org'], key)).toMatchObject({ lost: [], matchesKey: true })
})

/** A certificate of which some bytes are others; nobody checks its signature. */
function altered(pem: string, from: Buffer, to: Buffer): string {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  const at = der.lastIndexOf(from)
  if (at === -1) throw new Error('the bytes are not in the certificate')
  to.copy(der, at)
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
}

test.skipIf(!hasOpenssl)('one without the name of an issuer is described (needs openssl)', () => {
  const nameless = makeIdentity(['ai.example.org'], 'ec', '/')
  expect(describeCertificate(nameless.cert)).toMatchObject({ issuer: '', names: ['ai.example.org'] })
})

test.skipIf(!hasOpenssl)(
  'a key of a kind that OpenSSL does not know is unknown, and signs nothing (needs openssl)',
  () => {
    const { cert, key } = makeIdentity(['ai.example.org'], 'ed25519')
    // id-Ed25519 in the key, with an arc that nobody has; RFC 8410
    const strange = altered(
      cert,
      Buffer.from('300506032b6570032100', 'hex'),
      Buffer.from('300506032b657f032100', 'hex'),
    )
    expect(describeCertificate(strange)).toMatchObject({ key: 'unknown' })
    expect(readCertificate(strange, [], key)).toMatchObject({ matchesKey: false })
    expect(isSignedBy(cert, strange)).toBe(false)
  },
)

test.skipIf(!hasOpenssl)('dates that are none make no certificate (needs openssl)', () => {
  const year = String(new Date(Date.now() + 2 * DAY_MS).getUTCFullYear() % 100)
  const strange = altered(cert, Buffer.from(`\x17\x0d${year}`, 'latin1'), Buffer.from('\x17\x0dxx', 'latin1'))
  expect(readCertificate(strange, [], undefined)).toBeUndefined()
  expect(describeCertificate(strange)).toBeUndefined()
})
