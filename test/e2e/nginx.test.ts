import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { block, type Directive, directive, nginxRefusal, printNginx } from '../../syntax/nginx/print.ts'
import { throwAwayCertificate } from '../support/certificate.ts'
import { until } from '../support/daemon.ts'
import { expectedGolden, goldenNames } from '../support/golden.ts'
import { nastyText } from '../support/nasty-text.ts'
import { startNginx, testNginx } from '../support/nginx.ts'
import { freePort, hasProgram } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const directory = temporaryDirectory()
const goldens = goldenNames().flatMap((name) => {
  const text = expectedGolden(name).get('nginx/gate.conf')
  return text === undefined ? [] : [{ name, text }]
})

const withNginx = test.skipIf(!hasProgram('nginx') || !hasProgram('openssl'))

beforeAll(() => {
  if (hasProgram('openssl')) throwAwayCertificate(directory.path, ['localhost'])
})
afterAll(directory.remove)

test('there are goldens for nginx', () => expect(goldens.length).toBeGreaterThan(2))

withNginx.each(goldens)('nginx -t (needs nginx, openssl) accepts the golden $name', ({ text }) => {
  const here = text
    .replace(/ssl_certificate (?:"[^\n]*"|[^";\n]+);/g, `ssl_certificate ${directory.file('cert.pem')};`)
    .replace(/ssl_certificate_key (?:"[^\n]*"|[^";\n]+);/g, `ssl_certificate_key ${directory.file('key.pem')};`)
  expect(testNginx(here, directory.path)).toMatchObject({ status: 0 })
})

withNginx('nginx (needs nginx, openssl) reads any text back as one argument, as it is, or it is refused', async () => {
  const texts = fc.sample(nastyText, { numRuns: 3_000, seed: 1 })
  const accepted = texts.filter((text) => nginxRefusal(text) === undefined && text.isWellFormed() && text !== '')
  expect(accepted.length).toBeGreaterThan(500)
  const port = await freePort()
  const locations = accepted.map((text, i) => block('location', ['=', `/${i}`], [directive('return', '200', text)]))
  const server = block('server', [], [directive('listen', `127.0.0.1:${port}`), ...locations])
  const nginx = await startNginx(printNginx([], [server], []).text, directory.path)
  try {
    const ask = async (i: number) => (await fetch(`http://127.0.0.1:${port}/${i}`)).text()
    await until(() =>
      ask(0).then(
        () => true,
        () => false,
      ),
    )
    for (const [i, text] of accepted.entries()) expect(await ask(i)).toBe(text)
  } finally {
    await nginx.stop()
  }
})

withNginx('nginx (needs nginx, openssl) opens certificates whatever their paths look like', () => {
  const names = fc
    .sample(nastyText, { numRuns: 400, seed: 2 })
    .map((text, i) => `${i}${text.replaceAll('/', '')}`.slice(0, 60))
    .filter((name) => nginxRefusal(name) === undefined && name.isWellFormed())
  const { cert, key } = throwAwayCertificate(directory.path, ['localhost'])
  const servers = names.map((name, i): Directive => {
    const path = join(directory.path, name)
    writeFileSync(path, directory.read(cert.slice(directory.path.length + 1)))
    return block(
      'server',
      [],
      [
        directive('server_name', `${i}.example.org`),
        directive('ssl_certificate', path),
        directive('ssl_certificate_key', key),
      ],
    )
  })
  expect(servers.length).toBeGreaterThan(50)
  expect(testNginx(printNginx([], servers, []).text, directory.path)).toMatchObject({ status: 0 })
})

test('the printer throws for what nginx cannot hold', () => {
  for (const text of ['a\nb', 'a$b', '\0', 'x'.repeat(2001)])
    expect(() => printNginx([], [directive('return', text)], [])).toThrow(RangeError)
})
