import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createSocket as createUdp } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { caaOf, relevantCaa } from '../../host/tls/caa.ts'
import { makeIssuer, makeRoot } from '../../pki/ca/authority.ts'
import { issueLeaf } from '../../pki/ca/leaf.ts'
import { until } from '../support/daemon.ts'
import { someOf } from '../support/effort.ts'
import { gatectl } from '../support/gatectl.ts'
import { startNginx } from '../support/nginx.ts'
import { freePort, hasProgram } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const DAY_MS = 86_400_000
const NAME = 'ai.example.test'
const HSTS = 'add_header Strict-Transport-Security "max-age=31536000" always;'

/** A server that nginx runs, and what gatectl finds wrong with it. */
type Case = {
  readonly title: string
  /** Of the certificate, days from now. */
  readonly life?: readonly [from: number, to: number]
  readonly names?: readonly string[]
  /** Only its own certificate is sent. */
  readonly isAlone?: true
  /** Lines of the server. */
  readonly lines?: string
  readonly http?: string
  readonly name?: string
  /** Without the CA. */
  readonly isUnknown?: true
  readonly wrong: readonly string[]
  readonly says: RegExp
}

const CASES: readonly Case[] = [
  {
    title: 'all is well',
    http: `return 308 https://${NAME}$request_uri;`,
    wrong: [],
    says: /handshake +ai.example.test, port \d+ \(127.0.0.1\): TLSv1.3, TLS_AES_256_GCM_SHA384, h2$[\s\S]*chain +ai.example.test ← .+ ← .+$[\s\S]*13 days left[\s\S]*versions +TLS 1.0 and 1.1 are refused\n.*h2 and http\/1.1\n.*max-age=31536000\n.*port \d+ redirects to https:\/\/ai.example.test\/[\s\S]*clock of|clock and the one/m,
  },
  { title: 'an address', name: '127.0.0.1', names: ['127.0.0.1'], wrong: [], says: /addresses have none/ },
  { title: 'a wildcard', names: ['*.example.test'], wrong: [], says: /it is for \*\.example\.test/ },
  {
    title: 'a CA that is not known',
    isUnknown: true,
    wrong: ['fail chain'],
    says: /is not believed[\s\S]*client installer/,
  },
  {
    title: 'the intermediate is missing',
    isAlone: true,
    wrong: ['fail chain'],
    says: /the server sends its own certificate alone[\s\S]*serve the whole chain/,
  },
  { title: 'expired', life: [-30, -1], wrong: ['fail expiry'], says: /ai.example.test expired 1 day ago/ },
  {
    title: 'not yet valid',
    life: [2, 9],
    wrong: ['fail expiry'],
    says: /is not valid yet[\s\S]*the clock of this host/,
  },
  {
    title: 'not renewed in time',
    life: [-12, 2],
    wrong: ['warn expiry'],
    says: /expires in \d+ days?[\s\S]*gatectl tls renew/,
  },
  {
    title: 'another name',
    names: ['b.example.test'],
    wrong: ['fail names'],
    says: /not for ai.example.test[\s\S]*it is for b.example.test/,
  },
  {
    title: 'old versions',
    lines: `${HSTS} ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_ciphers DEFAULT:@SECLEVEL=0;`,
    wrong: ['warn versions'],
    says: /TLSv1.1 is accepted/,
  },
  { title: 'no HSTS', lines: ' ', wrong: ['warn hsts'], says: /no Strict-Transport-Security/ },
  { title: 'an HSTS that soon ends', lines: HSTS.replace('31536000', '60'), wrong: ['warn hsts'], says: /max-age=60/ },
  {
    title: 'plain HTTP is served',
    http: 'return 200 hello;',
    wrong: ['fail redirect'],
    says: /answers with 200 in place of a redirect/,
  },
  {
    title: 'led to another name',
    http: 'return 301 https://else.example.test/;',
    wrong: ['warn redirect'],
    says: /another name/,
  },
  {
    title: 'led to plain HTTP',
    http: `return 301 http://${NAME}/login;`,
    wrong: ['fail redirect'],
    says: /with 301 in place/,
  },
  { title: 'no server for the name on port 80', http: 'return 421;', wrong: [], says: /serves nothing \(421\)/ },
]

const directory = temporaryDirectory()
const ports = new Map<Case, { readonly https: number; readonly http: number }>()
let nginx: { stop: () => Promise<void> }

beforeAll(async () => {
  if (!hasProgram('nginx')) return
  const random = (count: number) => randomBytes(count)
  const nowMs = Date.now()
  const bounds = { domains: ['example.test'], addresses: ['127.0.0.1'] }
  const makeCa = async (atMs: number) => {
    const root = await makeRoot('check', bounds, atMs, random)
    return { root, issuer: await makeIssuer(root, atMs, random) }
  }
  const ca = await makeCa(nowMs - 60 * DAY_MS)
  writeFileSync(directory.file('ca.pem'), ca.root.cert)
  const servers = await Promise.all(
    CASES.map(async (one, i) => {
      const { life: [from, to] = [0, 13.5], names = [NAME], lines = HSTS, http } = one
      const { cert, key } = await issueLeaf(ca.issuer, names, nowMs + from * DAY_MS, random, (to - from) * DAY_MS)
      const [own = ''] = cert.split(/(?<=-----END CERTIFICATE-----\n)/)
      writeFileSync(directory.file(`${i}.pem`), one.isAlone ? own : cert)
      writeFileSync(directory.file(`${i}.key`), key)
      const at = { https: await freePort(), http: http === undefined ? 0 : await freePort() }
      ports.set(one, at)
      const files = `ssl_certificate ${directory.file(`${i}.pem`)}; ssl_certificate_key ${directory.file(`${i}.key`)};`
      const tls = `server {\n  listen 127.0.0.1:${at.https} ssl;\n  http2 on;\n  ${files} ${lines} return 404;\n}\n`
      return http === undefined ? tls : `${tls}server { listen 127.0.0.1:${at.http}; ${http} }\n`
    }),
  )
  nginx = await startNginx(servers.join(''), directory.path)
  await until(async () => (await check([`127.0.0.1:${ports.get(CASES[1] as Case)?.https}`])).stdout.includes('TLSv1'))
})
afterAll(async () => {
  await nginx?.stop()
  directory.remove()
})

const check = (args: readonly string[]) => gatectl(['tls', 'check', ...args])

/** `fail chain`, … */
const wrongIn = (page: string) =>
  [...page.matchAll(/^(fail|warn) +(\S+)/gm)].map(([, status, name]) => `${status} ${name}`)

test.skipIf(!hasProgram('nginx')).each(someOf(CASES, 3))('$title (needs nginx)', async (one) => {
  const { https, http } = ports.get(one) ?? { https: 0, http: 0 }
  const { name = NAME, isUnknown, wrong, says } = one
  const ca = isUnknown ? [] : ['--ca', directory.file('ca.pem')]
  const at = ['--connect', `127.0.0.1:${https}`, '--http-port', String(http)]
  const { stdout, code } = await check([name, ...at, ...ca])
  expect(wrongIn(stdout), stdout).toEqual(wrong)
  expect(stdout).toMatch(says)
  expect(code).toBe(wrong.some((line) => line.startsWith('fail')) ? 3 : 0)
})

test('a port where nothing listens', async () => {
  const port = await freePort()
  const { stdout, code } = await check([`127.0.0.1:${port}`, '--http-port', '0'])
  expect(wrongIn(stdout)).toEqual(['fail handshake'])
  expect(stdout).toMatch(/cannot be reached\n.*ECONNREFUSED.*\n.*let something listen on port/)
  expect(code).toBe(3)
})

test.each(
  someOf(
    [
      { title: 'speaks plain HTTP', says: 'HTTP/1.1 400 Bad Request\r\n\r\n', page: /speaks something else there/ },
      { title: 'closes at once', says: '', page: /agrees on nothing/ },
      // fatal unrecognized_name, RFC 6066
      {
        title: 'knows no such name',
        says: Buffer.from('15030300020270', 'hex'),
        page: /it has no certificate for this name/,
      },
    ],
    3,
  ),
)('a server that $title', async ({ says, page }) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(says))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const { stdout, code } = await check([NAME, '--connect', `127.0.0.1:${port}`, '--http-port', '0'])
  server.close()
  expect(stdout).toMatch(page)
  expect(code).toBe(3)
})

test('a server whose clock is wrong, and one that does not say what time it is', async () => {
  const files = { cert: readFileSync(directory.file('0.pem')), key: readFileSync(directory.file('0.key')) }
  const said = ['Mon, 02 Nov 2020 00:00:00 GMT', undefined]
  const server = createHttps(files, (_, response) => {
    response.sendDate = false
    const date = said.shift()
    response.writeHead(404, { ...(date !== undefined && { date }), 'strict-transport-security': 'max-age=99999' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const at = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const ask = async () => {
    said.unshift(...said.slice(0, 1)) // hsts asks as well
    return (await check([NAME, '--connect', at, '--http-port', '0', '--ca', directory.file('ca.pem')])).stdout
  }
  expect(await ask()).toMatch(/^warn {2}clock +its clock is \d+ days behind the one of this host/m)
  expect(await ask()).toMatch(/^skip {2}clock +the clock\n.*does not say what time it is/m)
  server.close()
})

describe.skipIf(!hasProgram('dnsmasq'))('CAA records (needs dnsmasq)', () => {
  let server: ChildProcess
  let port = 0
  beforeAll(async () => {
    port = await freePort()
    const records = [
      'example.org,0,issue,ca.test',
      'le.example.org,0,issue,letsencrypt.org',
      'none.example.org,0,issue,;',
    ]
    const own = ['--keep-in-foreground', '--no-resolv', '--no-hosts', '--no-daemon', '--conf-file=/dev/null']
    const at = ['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${port}`, '--local=/org/', '--pid-file=']
    server = spawn('dnsmasq', [...own, ...at, ...records.map((record) => `--caa-record=${record}`)], {
      stdio: 'ignore',
    })
    await until(() =>
      caaOf(
        [`127.0.0.1:${port}`],
        AbortSignal.timeout(5_000),
      )('example.org').then(
        () => true,
        () => false,
      ),
    )
  })
  afterAll(async () => {
    const exited = new Promise((resolve) => server.once('exit', resolve))
    if (server.kill('SIGTERM')) await exited
  })

  test.each(
    someOf(
      [
        { name: 'a.b.example.org', domain: 'example.org', value: 'ca.test' },
        { name: 'le.example.org', domain: 'le.example.org', value: 'letsencrypt.org' },
        { name: '*.none.example.org', domain: 'none.example.org', value: ';' },
      ],
      3,
    ),
  )('those of $name are found at $domain', async ({ name, domain, value }) => {
    const found = await relevantCaa(name, caaOf([`127.0.0.1:${port}`], AbortSignal.timeout(5_000)))
    expect(found).toEqual({ domain, records: [{ isCritical: false, tag: 'issue', value }] })
  })

  test('a name server that is silent, or gone, is not one without records', async () => {
    const silent = createUdp('udp4').bind(0, '127.0.0.1')
    await once(silent, 'listening')
    const signal = AbortSignal.timeout(500)
    await expect(caaOf([`127.0.0.1:${silent.address().port}`], signal)('example.org')).rejects.toThrow()
    silent.close()
    await expect(caaOf(['127.0.0.1:1'], AbortSignal.timeout(5_000))('example.org')).rejects.toThrow()
  })
})

test.each(
  someOf(
    [
      { args: ['not a host'], says: /NAME: "not a host" is not a host name/ },
      { args: ['a.example', '--connect', 'x:99999'], says: /--connect: "x:99999"/ },
      { args: ['a.example', '--http-port', 'web'], says: /--http-port web is not a port/ },
      {
        args: ['a.example', '--acme-directory', 'http://ca.example'],
        says: /--acme-directory: "http:\/\/ca.example" is not an https URL/,
      },
      { args: ['a.example', '--ca', '/nowhere.pem'], says: /\/nowhere.pem: not there/ },
    ],
    3,
  ),
)('$args is refused', async ({ args, says }) => {
  const { stderr, code } = await check(args)
  expect(stderr).toMatch(says)
  expect(code).not.toBe(0)
})

test('--json has the findings', async () => {
  const { stdout } = await check(['127.0.0.1:1', '--http-port', '0', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ healthy: false, findings: [{ check: 'handshake', status: 'fail' }] })
})
