import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { afterAll, test as always, describe, expect } from 'vitest'
import {
  ISSUER_LIFE_MS,
  LEAF_LIFE_MS,
  makeIssuer,
  makeRoot,
  ROOT_LIFE_MS,
  readAuthority,
} from '../../../../pki/ca/authority.ts'
import { issueLeaf } from '../../../../pki/ca/leaf.ts'
import { revocationList } from '../../../../pki/ca/revocation.ts'
import { signNew } from '../../../../pki/ca/signing.ts'
import { certificatesIn } from '../../../../pki/certificate.ts'
import { hasProgram, tryRun } from '../../../support/programs.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const test = always.skipIf(!hasProgram('openssl'))
const DAY_MS = 86_400_000
const now = Math.floor(Date.now() / 1000) * 1000
const permitted = { domains: ['gate.example'], addresses: ['192.0.2.7', '2001:db8::7'] }
const root = await makeRoot('gate.example', permitted, now, randomBytes)
const issuer = await makeIssuer(root, now, randomBytes)
const home = temporaryDirectory()
afterAll(home.remove)

function file(name: string, text: string): string {
  home.write(name, text)
  return home.file(name)
}
const rootFile = file('root.pem', root.cert)

/** What OpenSSL thinks of a chain, as a client that trusts the root. */
function verify(chain: string, ...options: readonly string[]) {
  const [leaf = '', ...rest] = certificatesIn(chain).map(({ pem }) => pem)
  const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', rootFile, ...options]
  const untrusted = rest.length === 0 ? [] : ['-untrusted', file('rest.pem', rest.join(''))]
  const ran = tryRun('openssl', [...args, ...untrusted, file('leaf.pem', leaf)])
  return ran.status === 0 ? 'OK' : `${ran.stdout}${ran.stderr}`
}

describe('a root', () => {
  test('lives ten years, is critical in what it may do, and allows one CA below it', () => {
    const { stdout } = tryRun('openssl', ['x509', '-in', rootFile, '-noout', '-text'])
    expect(stdout).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:1/)
    expect(stdout).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/)
    expect(stdout).toMatch(
      /Name Constraints: critical\s+Permitted:\s+DNS:gate\.example\s+IP:192\.0\.2\.7\/255\.255\.255\.255/,
    )
    expect(stdout).toContain('NIST CURVE: P-256')
    const facts = readAuthority(root.cert)
    expect(facts.toMs - now).toBe(ROOT_LIFE_MS)
    expect(facts.permitted).toEqual({ domains: ['gate.example'], addresses: ['192.0.2.7', '2001:db8::7'] })
  })

  test('has a name and a number of its own each time', async () => {
    const other = await makeRoot('gate.example', permitted, now, randomBytes)
    const [a, b] = [root, other].map(({ cert }) => new X509Certificate(cert))
    expect(a?.subject).not.toBe(b?.subject)
    expect(a?.serialNumber).not.toBe(b?.serialNumber)
  })

  test('is not made for nothing at all', async () => {
    await expect(makeRoot('x', { domains: [], addresses: [] }, now, randomBytes)).rejects.toMatchObject({
      reason: 'bad-name',
    })
  })
})

const NAMES = ['gate.example', 'chat.gate.example', '*.gate.example', '192.0.2.7', '2001:db8::7']

describe.each([
  { by: 'a root', ca: root, length: 1 },
  { by: 'a CA of the daemon', ca: issuer, length: 2 },
])('a certificate by $by', ({ ca, length }) => {
  test('is for a server, for days, and OpenSSL accepts it for each of its names', async () => {
    const leaf = await issueLeaf(ca, NAMES, now, randomBytes)
    expect(certificatesIn(leaf.cert)).toHaveLength(length)
    expect(leaf.toMs - now).toBe(LEAF_LIFE_MS)
    for (const name of ['gate.example', 'chat.gate.example', 'any.gate.example'])
      expect(verify(leaf.cert, '-verify_hostname', name)).toBe('OK')
    for (const address of ['192.0.2.7', '2001:db8::7']) expect(verify(leaf.cert, '-verify_ip', address)).toBe('OK')
    expect(new X509Certificate(leaf.cert).checkPrivateKey(createPrivateKey(leaf.key))).toBe(true)
  })

  test.each(['192.0.2.7', '2001:db8::7'])('OpenSSL accepts one that is for %s alone', async (address) => {
    const leaf = await issueLeaf(ca, [address], now, randomBytes)
    expect(verify(leaf.cert, '-verify_ip', address)).toBe('OK')
  })

  test.each([
    'example',
    'gate.example.org',
    'xgate.example',
    '192.0.2.8',
    '2001:db8::8',
    '::ffff:192.0.2.7',
    '*.example',
  ])('is not made for %s, which lies outside', async (name) => {
    await expect(issueLeaf(ca, ['gate.example', name], now, randomBytes)).rejects.toMatchObject({
      reason: 'not-permitted',
      message: expect.stringContaining(name) as string,
    })
  })

  test.each([
    '',
    'a b',
    'gate.example\n',
    'GATE.example',
    '-a.gate.example',
    'a..gate.example',
    `${'a'.repeat(64)}.gate.example`,
    'ä.gate.example',
  ])('is not made for %j, which is no name', async (name) => {
    await expect(issueLeaf(ca, [name], now, randomBytes)).rejects.toMatchObject({ reason: 'bad-name' })
  })

  test('ends with the CA at the latest', async () => {
    const late = readAuthority(ca.cert).toMs - DAY_MS
    const leaf = await issueLeaf(ca, ['gate.example'], late, randomBytes)
    expect(leaf.toMs).toBe(late + DAY_MS)
    await expect(issueLeaf(ca, ['gate.example'], late + DAY_MS, randomBytes)).rejects.toMatchObject({
      reason: 'expired',
    })
  })
})

test('a CA of the daemon lives for months, and can make no CA', async () => {
  expect(readAuthority(issuer.cert).toMs - now).toBe(ISSUER_LIFE_MS)
  const below = await makeIssuer(issuer, now, randomBytes)
  const leaf = await issueLeaf(below, ['gate.example'], now, randomBytes)
  const [first = '', second = ''] = certificatesIn(leaf.cert).map(({ pem }) => pem)
  expect(verify(first + second + issuer.cert)).toContain('path length constraint exceeded')
})

test.each([
  {
    constraint: 'a domain',
    permitted: { domains: ['gate.example'], addresses: [] },
    outside: ['other.example', '192.0.2.7', '2001:db8::1'],
  },
  {
    constraint: 'an IPv4 address',
    permitted: { domains: [], addresses: ['192.0.2.7'] },
    outside: ['gate.example', '192.0.2.8', '2001:db8::1'],
  },
  {
    constraint: 'an IPv6 address',
    permitted: { domains: [], addresses: ['2001:db8::1'] },
    outside: ['gate.example', '192.0.2.7', '2001:db8::2'],
  },
])('OpenSSL refuses what a thief of a CA for $constraint signs beyond it', async ({ permitted: own, outside }) => {
  const ca = await makeRoot('thief', own, now, randomBytes)
  const caFile = file('thief.pem', ca.cert)
  for (const name of outside) {
    const isAddress = /[:]|^\d/.test(name)
    const names = { kind: 'names', dns: isAddress ? [] : [name], addresses: isAddress ? [name] : [] } as const
    const draft = {
      subject: 'x',
      fromMs: now - 1000,
      toMs: now + DAY_MS,
      extensions: [{ kind: 'server' }, names] as const,
    }
    const { cert } = await signNew(draft, randomBytes, ca)
    const ran = tryRun('openssl', ['verify', '-CAfile', caFile, file('stolen.pem', cert)])
    expect(`${name}: ${ran.stderr}`).toMatch(/permitted subtree violation|excluded subtree violation/)
  }
})

test.each([
  { name: 'no certificate', ca: { cert: 'x', key: issuer.key } },
  { name: 'a key of another CA', ca: { cert: issuer.cert, key: root.key } },
  { name: 'no key', ca: { cert: issuer.cert, key: `${issuer.key.slice(0, 60)}` } },
])('refuses a CA with $name, and does not say its key', async ({ ca }) => {
  const refused = await issueLeaf(ca, ['gate.example'], now, randomBytes).catch((error: unknown) => error)
  expect(refused).toMatchObject({ reason: 'unreadable' })
  expect(String(refused)).not.toContain(issuer.key.split('\n')[1]?.slice(0, 20))
})

test('a server certificate of another CA is none that signs', async () => {
  const leaf = await issueLeaf(root, ['gate.example'], now, randomBytes)
  await expect(issueLeaf(leaf, ['gate.example'], now, randomBytes)).rejects.toMatchObject({ reason: 'unreadable' })
})

test('OpenSSL refuses what the list names, and only that', async () => {
  const bad = await issueLeaf(root, ['gate.example'], now, randomBytes)
  const good = await issueLeaf(root, ['gate.example'], now, randomBytes)
  const [{ serial = '' } = {}] = certificatesIn(bad.cert)
  const list = file('list.crl', await revocationList(root, [{ serial, atMs: now }], now))
  expect(verify(bad.cert, '-crl_check', '-CRLfile', list)).toContain('certificate revoked')
  expect(verify(good.cert, '-crl_check', '-CRLfile', list)).toBe('OK')
})
