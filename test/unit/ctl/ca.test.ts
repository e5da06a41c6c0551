import { statSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { certificatesIn, isSignedBy } from '../../../pki/certificate.ts'
import { gatectl } from '../../support/gatectl.ts'
import { hasProgram, run as program } from '../../support/programs.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const home = temporaryDirectory()
afterAll(home.remove)
const directory = home.file('ca')
const at = ['--directory', directory]
const ca = (...args: readonly string[]) => gatectl(['ca', ...args, ...at])
const root = () => home.read('ca/ca.crt')

beforeAll(async () => {
  expect(await ca('init', '--domain', 'ai.example.org', '--address', '192.0.2.7')).toMatchObject({ code: 0 })
})

test('a root is made once, and says what it may sign for and its sum', async () => {
  const before = root()
  for (const name of ['ai.example.org', 'chat.ai.example.org']) {
    const { stderr, code } = await ca('init', '--domain', name)
    expect([code, stderr]).toEqual([0, expect.stringContaining('which stays')])
  }
  expect(root()).toBe(before)
  const { stdout } = await ca('list')
  expect(stdout).toMatch(
    /^root: Gate CA ai\.example\.org [0-9a-f]{8}, until 20\d\d-\d\d-\d\d, for ai\.example\.org, 192\.0\.2\.7\n {2}SHA-256 (?:[0-9A-F]{2}:){31}[0-9A-F]{2}\n/,
  )
})

test('a certificate is issued for a server, and its key is for its owner alone', async () => {
  const { stdout, code } = await ca('issue', 'chat.ai.example.org', '--also', '192.0.2.7', '--out', home.file('out'))
  expect(code).toBe(0)
  expect(stdout).toBe(
    `TLS_CERT_PATH=${home.file('out/chat.ai.example.org.crt')}\nTLS_KEY_PATH=${home.file('out/chat.ai.example.org.key')}\n`,
  )
  const cert = home.read('out/chat.ai.example.org.crt')
  expect(isSignedBy(cert, root())).toBe(true)
  expect(certificatesIn(cert)[0]?.names).toEqual(['chat.ai.example.org', '192.0.2.7'])
  expect(statSync(home.file('out/chat.ai.example.org.key')).mode & 0o777).toBe(0o600)
})

test.each([
  { args: ['issue', 'other.example'], code: 1, says: 'may not sign for other.example' },
  { args: ['issue', 'a b'], code: 1, says: 'is not a host name or an address' },
  { args: ['issue'], code: 2, says: 'NAME is missing' },
  { args: ['issue', 'ai.example.org', '--days', '4000'], code: 2, says: 'from 1 to 397' },
  { args: ['revoke', 'absent.ai.example.org'], code: 1, says: 'has issued no certificate "absent.ai.example.org"' },
  { args: ['export', 'absent.ai.example.org'], code: 1, says: 'has issued no certificate' },
  { args: ['export', '--as', 'jks'], code: 2, says: 'there is no "jks"' },
  { args: ['init', '--address', 'ai.example.org', '--replace'], code: 2, says: 'is not an IP address' },
  { args: ['init', '--domain', '*.example.org', '--replace'], code: 2, says: 'is not a host name' },
  { args: ['init', '--domain', 'other.example'], code: 1, says: 'may not sign for other.example' },
  { args: ['init', '--replace'], code: 2, says: 'say what the CA may sign for' },
  { args: ['renew', 'absent.json'], code: 1, says: 'nothing asks the CA' },
  { args: ['init', '--domain', '192.0.2.7', '--replace'], code: 2, says: 'write it as --address 192.0.2.7' },
  { args: ['init', '--domain', 'ai.example.org', '--keep-trust'], code: 2, says: 'add --replace' },
  { args: ['list', '--dev'], code: 2, says: '--dev has a directory of its own' },
])('$args is refused: $says', async ({ args, code, says }) => {
  const ran = await ca(...args)
  expect(`${ran.code} ${ran.stderr}`).toContain(`${code} gatectl: `)
  expect(ran.stderr).toContain(says)
})

test('codes of what is not there', async () => {
  const codeOf = async (args: readonly string[]) =>
    (JSON.parse((await gatectl(args)).stdout || (await gatectl(args)).stderr) as { code: string }).code
  expect(await codeOf(['ca', 'list', '--json', '--directory', home.file('none')])).toBe('NO_CA')
  expect(await codeOf(['ca', 'revoke', 'x', '--json', ...at])).toBe('NO_CERTIFICATE')
})

const password = 'correct horse'

test.skipIf(!hasProgram('openssl'))(
  'PKCS#12 takes its password from standard input or a file, and holds the key',
  async () => {
    await ca('issue', 'phone.ai.example.org')
    home.write('password', `${password}\nmore\n`)
    const named = ['export', 'phone.ai.example.org', '--as', 'p12', '--out']
    expect(await gatectl(['ca', ...named, home.file('a.p12'), ...at], { stdin: `${password}\n` })).toMatchObject({
      code: 0,
      stdout: '',
    })
    expect(await ca(...named, home.file('b.p12'), '--password-file', home.file('password'), '--modern')).toMatchObject({
      code: 0,
    })
    for (const name of ['a.p12', 'b.p12']) {
      const text = program('openssl', ['pkcs12', '-in', home.file(name), '-noenc', '-passin', 'stdin'], `${password}\n`)
      expect(certificatesIn(text).map(({ subject }) => subject)).toEqual([
        'phone.ai.example.org',
        expect.stringMatching(/^Gate CA/),
      ])
      expect(text).toContain('PRIVATE KEY')
      expect(statSync(home.file(name)).mode & 0o777).toBe(0o600)
    }
  },
)

test('a password that is too short is refused without being shown', async () => {
  const { stderr, code } = await gatectl(['ca', 'export', '--as', 'p12', '--out', home.file('c.p12'), ...at], {
    stdin: 'seven77\n',
  })
  expect([code, stderr]).toEqual([1, expect.stringContaining('8 characters')])
  expect(stderr).not.toContain('seven77')
})

test('help of ca export does not promise a key in every format', async () => {
  const { stdout } = await gatectl(['ca', 'export', '--help'])
  expect(stdout).not.toContain('certificate with its key')
  expect(stdout).toContain('with NAME it holds the key as well, which pem and der do not')
})

test('the roots are exported as PEM and DER', async () => {
  expect((await ca('export')).stdout).toBe(root())
  await ca('export', '--as', 'der', '--out', home.file('root.der'))
  expect(home.read('root.der').slice(0, 1)).toBe('\x30')
})

test.skipIf(!hasProgram('openssl'))('what is revoked is on the list', async () => {
  await ca('issue', 'lost.ai.example.org')
  const { stdout } = await ca('revoke', 'lost.ai.example.org')
  const serial = /^revoked ([0-9a-f]+) for lost\.ai\.example\.org$/m.exec(stdout)?.[1] ?? 'none'
  const list = program('openssl', [
    'crl',
    '-in',
    home.file('ca/ca.crl'),
    '-noout',
    '-text',
    '-CAfile',
    home.file('ca/ca.crt'),
  ])
  expect(list.toLowerCase()).toContain(`serial number: ${serial}`)
  expect((await ca('revoke', 'lost.ai.example.org')).stdout).toContain('was revoked before')
  expect((await ca('export', 'lost.ai.example.org')).code).toBe(1)
  expect((await ca('list')).stdout).toMatch(new RegExp(`${serial} .* revoked `))
})

test('a root that is replaced is trusted no more, unless it is to be; a damaged one can be replaced', async () => {
  const other = ['--directory', home.file('other')]
  const init = (...args: readonly string[]) =>
    gatectl(['ca', 'init', '--domain', 'ai.example.org', ...args, ...other]).then(({ code }) => code)
  const trusted = () => certificatesIn(home.read('other/ca.crt')).map(({ pem }) => pem)
  expect(await init()).toBe(0)
  const [first = ''] = trusted()
  expect(await init('--replace', '--keep-trust')).toBe(0)
  expect(trusted()).toEqual([expect.any(String), first])
  expect(await init('--replace')).toBe(0)
  expect(trusted()).toHaveLength(1)
  expect(trusted()).not.toContain(first)
  home.write('other/root.crt', 'not a certificate')
  expect(await init()).toBe(1)
  expect(await init('--replace')).toBe(0)
  expect(trusted()).toHaveLength(1)
})

test('what a CA made by hand has issued is renewed', async () => {
  const [old] = certificatesIn(home.read('ca/issued/phone.ai.example.org.crt'))
  home.write('ca/issued/phone.ai.example.org.key', home.read('out/chat.ai.example.org.key'))
  expect(await ca('renew')).toMatchObject({ code: 0, stdout: expect.stringContaining('phone.ai.example.org.crt') })
  const [renewed] = certificatesIn(home.read('ca/issued/phone.ai.example.org.crt'))
  expect(renewed?.serial).not.toBe(old?.serial)
  expect((renewed?.toMs ?? 0) - (renewed?.fromMs ?? 0)).toBe((old?.toMs ?? 0) - (old?.fromMs ?? 0))
})

test("a developer's CA is made by the first certificate, in the user's own state", async () => {
  const env = { XDG_STATE_HOME: home.file('state') }
  const dev = await gatectl(['ca', 'issue', '--dev'], { env })
  expect([dev.code, dev.stderr]).toEqual([0, expect.stringContaining('made a CA')])
  const [, cert = ''] = /^TLS_CERT_PATH=(.*)$/m.exec(dev.stdout) ?? []
  expect(cert).toBe(home.file('state/gate/ca/issued/localhost.crt'))
  const [leaf] = certificatesIn(home.read('state/gate/ca/issued/localhost.crt'))
  expect(leaf?.names).toEqual(['localhost', '127.0.0.1', '::1'])
  expect((await gatectl(['ca', 'list', '--dev'], { env })).stdout).toMatch(
    / for localhost, 127\.0\.0\.1, ::1\n[\s\S]* localhost, 127\.0\.0\.1, ::1\n/,
  )
  expect((await gatectl(['ca', 'issue', 'ai.example.org', '--dev'], { env })).code).toBe(1)
  for (const name of ['0:0:0:0:0:0:0:1', '::1'])
    expect(await gatectl(['ca', 'export', name, '--dev'], { env })).toMatchObject({ code: 0 })
})
