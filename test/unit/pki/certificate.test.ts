import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCertificate } from '../../../pki/certificate.ts'
import { throwAwayCertificate } from '../../support/certificate.ts'
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
