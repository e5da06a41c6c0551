// What looks after TLS: gatectl tls, gatectl doctor and /metrics against a real daemon, with files and with Pebble.
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeRoot } from '../../pki/ca/authority.ts'
import { issueLeaf } from '../../pki/ca/leaf.ts'
import { API_ANSWERS } from '../../schemas/api/answers.ts'
import { startAcmeFront } from '../support/acme-front.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { gatectl } from '../support/gatectl.ts'
import { hasPebble, type Pebble, startPebble } from '../support/pebble.ts'
import { freePort } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const DAY_MS = 86_400_000
const NAME = 'ai.example.test'
const KEY = 'gate_care-of-tls-0123456789'
const random = (count: number) => randomBytes(count)

/** A daemon that serves HTTPS, and how it is asked. */
function asking(daemon: () => Daemon) {
  const env = () => ({ GATE_ADMIN_SOCKET: join(daemon().stateDirectory, 'admin.sock') })
  const ctl = (args: readonly string[]) => gatectl(args, { env: env() })
  const httpsPort = () => Number(/"url":"https:\/\/[^"]*:(\d+)"/.exec(daemon().output())?.[1])
  return {
    ctl,
    httpsPort,
    /** `ok`, `fail`, … with what a check found. */
    doctor: async (check: string) => {
      const { findings } = JSON.parse((await ctl(['doctor', '--only', check, '--json'])).stdout)
      return findings.map(({ status, what }: { status: string; what: string }) => `${status} ${what}`)
    },
    certificates: async () =>
      API_ANSWERS['GET /api/admin/tls'].parse(JSON.parse((await ctl(['tls', 'status', '--json'])).stdout)).certificates,
    metrics: async () => {
      const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
        const headers = { authorization: `Bearer ${KEY}` }
        get(`${daemon().url}/metrics`, { headers }, resolve).once('error', reject)
      })
      return (await text(response)).match(/^gate_tls.*$/gm)?.join('\n') ?? ''
    },
  }
}

const OPEN = { GATE_AUTH__TOKEN: KEY, GATE_TLS__HOST: '127.0.0.1', GATE_TLS__HTTPS_PORT: '0' }

describe('files', () => {
  const directory = temporaryDirectory()
  let daemon: Daemon
  const { ctl, doctor, certificates, metrics, httpsPort } = asking(() => daemon)

  /** A certificate that began and ends so many days from now. */
  async function writeLeaf(names: readonly string[], from: number, to: number): Promise<void> {
    const leaf = await issueLeaf(root, names, Date.now() + from * DAY_MS, random, (to - from) * DAY_MS)
    writeFileSync(directory.file('key.pem'), leaf.key, { mode: 0o600 })
    writeFileSync(directory.file('cert.pem'), leaf.cert)
  }
  let root: Awaited<ReturnType<typeof makeRoot>>

  beforeAll(async () => {
    root = await makeRoot('care', { domains: ['example.test'], addresses: [] }, Date.now() - 90 * DAY_MS, random)
    writeFileSync(directory.file('ca.pem'), root.cert)
    await writeLeaf([NAME], 0, 14)
    daemon = await startDaemon({
      ...OPEN,
      GATE_TLS__FILES__CERT: directory.file('cert.pem'),
      GATE_TLS__FILES__KEY: directory.file('key.pem'),
      GATE_TLS__HTTP_PORT: '0',
    })
  })
  afterAll(async () => {
    await daemon?.stop()
    daemon?.remove()
    directory.remove()
  })

  test('what is served is in the status, in /metrics and in the doctor', async () => {
    const [certificate] = await certificates()
    expect(certificate).toMatchObject({ name: NAME, source: 'files', path: directory.file('cert.pem') })
    expect(await doctor('tls')).toEqual([`ok ${NAME} (files): 13 days left, replaced when its files change`])
    expect(await doctor('https')).toEqual(['ok 1 of 1 answer with the right certificate, from this host'])
    expect(await doctor('ca')).toEqual(['ok no certificates are got by ACME'])
    const lines = await metrics()
    const seconds = Date.parse(certificate?.served?.not_after ?? '') / 1_000
    expect(lines).toContain(`gate_tls_certificate_not_after_seconds{name="${NAME}",source="files"} ${seconds}`)
    expect(lines).toMatch(/^gate_tls_handshakes_total\{outcome="done",version="TLSv1.3",alpn="h2"\} [1-9]/m)
  })

  test('a client finds all of it well: gatectl tls check', async () => {
    const at = ['--connect', `127.0.0.1:${httpsPort()}`, '--ca', directory.file('ca.pem'), '--http-port', '0']
    const { stdout, code } = await ctl(['tls', 'check', NAME, ...at])
    expect(stdout).toMatch(/^ok {4}handshake +.*TLSv1.3, TLS_AES_\S+, h2$/m)
    for (const check of ['chain', 'names', 'expiry', 'versions', 'alpn', 'hsts', 'clock'])
      expect(stdout).toMatch(new RegExp(`^ok {4}${check} `, 'm'))
    expect(code).toBe(0)
  })

  test.skipIf(!isLong)('files are renewed by who writes them: gatectl tls renew reads them again', async () => {
    const before = (await certificates())[0]?.served?.serial
    await writeLeaf([NAME], 0, 20)
    const { code, stdout, stderr } = await ctl(['tls', 'renew', NAME])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^ai.example.test: until .* \(in 19 days\), by CN=Gate CA care/)
    expect((await certificates())[0]?.served?.serial).not.toBe(before)
    expect(await doctor('https')).toEqual(['ok 1 of 1 answer with the right certificate, from this host'])
  })

  test.skipIf(!isLong)('a certificate in its last quarter is an alarm, and is served on', async () => {
    await writeLeaf([NAME], -12, 2)
    await ctl(['tls', 'renew', NAME])
    const { stdout, code } = await ctl(['tls', 'status'])
    expect(stdout).toMatch(/expiring/)
    expect(code).toBe(3)
    expect(await doctor('tls')).toEqual([expect.stringMatching(/^warn ai.example.test \(files\): /)])
    expect(await doctor('https')).toEqual(['ok 1 of 1 answer with the right certificate, from this host'])
    expect(await metrics()).toContain(`gate_tls_certificate_alarm{name="${NAME}",source="files",kind="expiring"} 1`)
  })

  test('files that cannot be used leave the ones before in place, and say so', async () => {
    await writeLeaf([NAME], 0, 14)
    await ctl(['tls', 'renew', NAME])
    writeFileSync(directory.file('cert.pem'), 'no certificate')
    const { code, stderr } = await ctl(['tls', 'renew', NAME])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^gatectl: ai.example.test: /)
    // who writes two files has two seconds for it
    await until(async () => {
      await ctl(['tls', 'renew', NAME])
      return (await ctl(['tls', 'status'])).code === 3
    })
    expect(await doctor('tls')).toEqual([expect.stringMatching(/^fail ai.example.test \(files\): /)])
    expect(await doctor('https')).toEqual(['ok 1 of 1 answer with the right certificate, from this host'])
    await writeLeaf([NAME], 0, 14)
    await ctl(['tls', 'renew', NAME])
    expect((await ctl(['tls', 'status'])).code).toBe(0)
  })

  test('a name that has no certificate is not found', async () => {
    const { code, stderr } = await ctl(['tls', 'renew', 'else.example.test'])
    expect(code).toBe(1)
    expect(stderr).toContain('there is no certificate "else.example.test"')
  })
})

describe.skipIf(!isLong || !hasPebble)('ACME (needs pebble, openssl)', () => {
  let pebble: Pebble
  let daemon: Daemon
  const { ctl, doctor, certificates, metrics, httpsPort } = asking(() => daemon)

  beforeAll(async () => {
    const port = await freePort()
    pebble = await startPebble({ tlsPort: port })
    daemon = await startDaemon({
      ...OPEN,
      GATE_TLS__HTTPS_PORT: String(port),
      GATE_LETSENCRYPT__ENABLED: 'true',
      GATE_LETSENCRYPT__EMAIL: 'admin@example.test',
      GATE_LETSENCRYPT__DOMAINS: NAME,
      GATE_TLS__ACME__DIRECTORY: pebble.directory,
      GATE_TLS__ACME__CA: pebble.caFile,
    })
    await until(async () => (await certificates())[0]?.served !== undefined, 20_000)
  })
  afterAll(async () => {
    await daemon?.stop()
    daemon?.remove()
    await pebble?.remove()
  })

  test('the status has the account, the doctor finds the CA and all of it well', async () => {
    const status = API_ANSWERS['GET /api/admin/tls'].parse(JSON.parse((await ctl(['tls', 'status', '--json'])).stdout))
    expect(status.account).toMatchObject({ directory: pebble.directory, email: 'admin@example.test' })
    expect(await doctor('tls')).toEqual([
      expect.stringMatching(/^ok ai.example.test \(acme\): 89 days left, renewed in \d+ days/),
    ])
    expect(await doctor('https')).toEqual(['ok 1 of 1 answer with the right certificate, from this host'])
    const [answers] = await doctor('ca')
    expect(answers).toBe(`ok the CA ${new URL(pebble.directory).host} answers, and the clocks agree`)
  })

  test('a client learns when the CA wants the certificate renewed', async () => {
    const front = await startAcmeFront(pebble)
    const renewal = async (directory: string, days?: number) => {
      const [start, end] = [Date.now() + (days ?? 0) * DAY_MS, Date.now() + ((days ?? 0) + 1) * DAY_MS]
      front.window = days === undefined ? null : { start: new Date(start), end: new Date(end) }
      const at = ['--connect', `127.0.0.1:${httpsPort()}`, '--ca', pebble.caFile, '--http-port', '0']
      return (await ctl(['tls', 'check', NAME, ...at, '--acme-directory', directory])).stdout
    }
    expect(await renewal(front.directory)).toMatch(/^ok {4}renewal +its CA has no wish of its own$/m)
    expect(await renewal(front.directory, 20)).toMatch(
      /^ok {4}renewal +its CA wants it renewed between 20\d\d-.* and 20\d\d-/m,
    )
    const late = /^warn {2}renewal +its CA wanted it renewed 2 days ago\n.*\n +fix: gatectl tls renew ai.example.test$/m
    expect(await renewal(front.directory, -3)).toMatch(late)
    expect(await renewal('https://127.0.0.1:1/')).toMatch(
      /^skip {2}renewal +.*\n +why: could not be looked at: .*ECONNREFUSED/m,
    )
    front.close()
  })

  test('gatectl tls renew gets another one', async () => {
    const before = (await certificates())[0]?.served?.serial
    expect(await ctl(['tls', 'renew', NAME])).toMatchObject({ code: 0, stderr: '' })
    expect((await certificates())[0]?.served?.serial).not.toBe(before)
    expect(await metrics()).toContain(`gate_tls_renewals_total{name="${NAME}",source="acme",outcome="succeeded"} 2`)
  })

  test('a CA that is gone is said, and does no harm', async () => {
    await pebble.stop()
    const { code, stderr } = await ctl(['tls', 'renew', NAME])
    expect(code).toBe(1)
    expect(stderr).toMatch(/could not be asked/)
    expect(await doctor('tls')).toEqual([`warn ${NAME} could not be renewed`])
    expect(await doctor('https')).toEqual(['ok 1 of 1 answer with the right certificate, from this host'])
    expect((await doctor('ca'))[0]).toMatch(/^skip the CA localhost/)
    expect((await ctl(['tls', 'status'])).stdout).toMatch(/retrying/)
  })
})
