import { createPrivateKey, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { makeIssuer, makeRoot } from '../../../../pki/ca/authority.ts'
import { issueLeaf } from '../../../../pki/ca/leaf.ts'
import { packPkcs12 } from '../../../../pki/ca/pkcs12.ts'
import { certificatesIn } from '../../../../pki/certificate.ts'
import { hasProgram, run, tryRun } from '../../../support/programs.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const home = temporaryDirectory()
afterAll(home.remove)
const now = Date.now()
const root = await makeRoot('gate.example', { domains: ['gate.example'], addresses: [] }, now, randomBytes)
const leaf = await issueLeaf(await makeIssuer(root, now, randomBytes), ['gate.example'], now, randomBytes)
const chain = { cert: `${leaf.cert}${root.cert}`, key: leaf.key, label: 'gate.example' }
const password = 'correct horse "\\$'

test.skipIf(!hasProgram('openssl')).each(['compatible', 'modern'] as const)(
  'OpenSSL reads what is locked in the way "%s": the certificates in their order, and the key',
  (lock) => {
    const file = home.file(`${lock}.p12`)
    writeFileSync(file, packPkcs12(chain, password, lock))
    const options = ['pkcs12', '-in', file, '-noenc', '-passin', 'stdin']
    const text = run('openssl', options, `${password}\n`)
    expect(text).toContain('friendlyName: gate.example')
    expect(certificatesIn(text).map(({ subject }) => subject)).toEqual(
      certificatesIn(chain.cert).map(({ subject }) => subject),
    )
    const [key = ''] = /-----BEGIN PRIVATE KEY-----[^-]*-----END PRIVATE KEY-----/.exec(text) ?? []
    expect(createPrivateKey(key).export({ type: 'sec1', format: 'der' })).toEqual(
      createPrivateKey(leaf.key).export({ type: 'sec1', format: 'der' }),
    )
    expect(tryRun('openssl', options, 'another one\n').stderr).toContain('invalid password')
  },
)

test.skipIf(!hasProgram('pk12util')).each(['compatible', 'modern'] as const)(
  'NSS, which Firefox and Chromium use, imports what is locked in the way "%s"',
  (lock) => {
    const database = home.file(`nss-${lock}`)
    run('mkdir', [database])
    run('certutil', ['-N', '-d', `sql:${database}`, '--empty-password'])
    const file = home.file(`nss-${lock}.p12`)
    writeFileSync(file, packPkcs12(chain, password, lock))
    home.write('password', password)
    run('pk12util', ['-i', file, '-d', `sql:${database}`, '-w', home.file('password')])
    expect(run('certutil', ['-L', '-d', `sql:${database}`])).toMatch(/^gate\.example +u,u,u$/m)
    expect(run('certutil', ['-K', '-d', `sql:${database}`])).toContain('gate.example')
  },
)

test.skipIf(!hasProgram('openssl'))('a file of certificates alone has no key in it', () => {
  const file = home.file('root.p12')
  writeFileSync(file, packPkcs12({ cert: root.cert, label: 'Gate CA' }, password))
  const text = run('openssl', ['pkcs12', '-in', file, '-nokeys', '-passin', 'stdin'], `${password}\n`)
  expect(certificatesIn(text)).toHaveLength(1)
  expect(run('openssl', ['pkcs12', '-in', file, '-nocerts', '-noenc', '-passin', 'stdin'], `${password}\n`)).toBe('')
})

test.each([
  { name: 'a short password', secret: 'seven77', expected: 'needs 8 characters' },
  { name: 'a password that phones read differently', secret: 'pässwörter', expected: 'ASCII only' },
])('refuses $name, and does not say it', ({ secret, expected }) => {
  const pack = () => packPkcs12(chain, secret)
  expect(pack).toThrow(expected)
  expect(pack).not.toThrow(secret)
})

test('refuses what is no certificate', () => {
  expect(() => packPkcs12({ cert: 'x', label: 'x' }, password)).toThrow('not a certificate')
})
