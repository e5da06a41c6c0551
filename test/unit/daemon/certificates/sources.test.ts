import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, symlinkSync, watch } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeIssuer, makeRoot } from '../../../../pki/ca/authority.ts'
import { watchedCertificates } from '../../../support/certificates.ts'
import { makeIdentity } from '../../../support/identities.ts'
import { hasProgram, run } from '../../../support/programs.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const NAME = 'ai.example.org'
const { signal } = new AbortController()
const hasOpenssl = hasProgram('openssl')
const [one, two] = hasOpenssl ? [makeIdentity([NAME]), makeIdentity([NAME, '192.0.2.7'])] : []
const [nameless, short] = hasOpenssl ? [makeIdentity([]), makeIdentity([NAME], 'short rsa')] : []
const brief = hasOpenssl ? makeIdentity([NAME], 'ec', '/CN=brief', 1) : undefined
const encrypted = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey

let place: ReturnType<typeof temporaryDirectory>
const open: { close: () => Promise<void> }[] = []
const servers: Server[] = []
beforeEach(() => {
  place = temporaryDirectory()
})
afterEach(async () => {
  for (const certificates of open.splice(0)) await certificates.close()
  for (const server of servers.splice(0)) server.close()
  place.remove()
})
const watched = (...all: Parameters<typeof watchedCertificates>) => {
  const made = watchedCertificates(...all)
  open.push(made.certificates)
  return made
}

describe.skipIf(!hasOpenssl)('files (needs openssl)', () => {
  const files = () => ({ cert: place.file('cert.pem'), key: place.file('key.pem') })
  const write = (cert = one?.cert ?? '', key = one?.key ?? '') => {
    place.write('cert.pem', cert)
    place.write('key.pem', key)
  }

  test('are served from the start, and again when they change', async () => {
    write()
    const gate = watched({ files: files() }, place.path)
    await gate.certificates.ready
    let changes = 0
    gate.certificates.identities.onChange(() => changes++)
    expect(gate.certificates.identities.current()).toEqual([one])
    await gate.certificates.check()
    expect(changes).toBe(0)
    write(two?.cert, two?.key)
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([two])
    expect(changes).toBeGreaterThan(0)
  })

  test('that do not fit leave those before, and raise an alarm that ends', async () => {
    write()
    const gate = watched({ files: files() }, place.path)
    await gate.certificates.ready
    place.write('cert.pem', two?.cert ?? '')
    await gate.certificates.check()
    expect(gate.first()?.alarm).toBeUndefined() // the key may come in a moment
    gate.pass(MINUTE_MS)
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([one])
    expect(gate.first()?.alarm).toMatchObject({
      kind: 'refused-files',
      message: expect.stringContaining('not the private key'),
    })
    expect(gate.errors()).toHaveLength(2)
    await expect(gate.certificates.renew(NAME, signal)).rejects.toThrow('not the private key')
    place.write('key.pem', two?.key ?? '')
    await gate.certificates.renew(NAME, signal)
    await gate.certificates.check()
    expect(gate.first()?.alarm).toBeUndefined()
  })

  test.each([
    { name: 'a pipe', damage: () => run('mkfifo', [files().cert]), why: 'cert.pem is not a regular file' },
    { name: 'a directory', damage: () => mkdirSync(files().cert), why: 'cert.pem is not a regular file' },
    { name: 'nothing', damage: () => {}, why: /^there is no file .*cert\.pem \(ENOENT\)/ },
    {
      name: 'an endless one',
      damage: () => place.write('cert.pem', 'x'.repeat(2 ** 20 + 1)),
      why: 'cert.pem is too long for PEM',
    },
    { name: 'noise', damage: () => place.write('cert.pem', '\xff\0'), why: 'cert.pem is not a certificate in PEM' },
    {
      name: 'one without a name',
      damage: () => write(nameless?.cert, nameless?.key),
      why: 'cert.pem names no host in subjectAltName',
    },
    { name: 'one that TLS refuses', damage: () => write(short?.cert, short?.key), why: 'cert.pem: ee key too small' },
    { name: 'one with no key', damage: () => write(one?.cert, 'no key'), why: 'key.pem is not a private key in PEM' },
    { name: 'one with an encrypted key', damage: () => write(one?.cert, encrypted), why: 'key.pem is encrypted' },
  ])('$name in the place of a certificate is refused, and the one before is served', async ({ damage, why }) => {
    write()
    const gate = watched({ files: files() }, place.path)
    await gate.certificates.ready
    rmSync(files().cert)
    damage()
    await gate.certificates.check()
    gate.pass(MINUTE_MS)
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([one])
    const matching = typeof why === 'string' ? expect.stringContaining(why) : expect.stringMatching(why)
    expect(gate.first()?.alarm).toMatchObject({ kind: 'refused-files', message: matching })
    rmSync(files().cert, { recursive: true, force: true })
    write(two?.cert, two?.key)
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([two])
  })

  test('that are not valid now take the place of none that is', async () => {
    write()
    const gate = watched({ files: files() }, place.path)
    await gate.certificates.ready
    gate.jump(-1.5 * DAY_MS)
    write(two?.cert, two?.key)
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([two]) // neither is valid
    gate.jump(3 * DAY_MS)
    write(brief?.cert, brief?.key)
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([two])
    await expect(gate.certificates.renew(NAME, signal)).rejects.toThrow(/is valid from .* to .*, not now$/)
  })

  test('that are not for the host of server.external_url are warned of once', async () => {
    write()
    let host = 'other.example.org'
    const gate = watched({ files: files() }, place.path, { externalHost: () => host })
    await gate.certificates.check()
    await gate.certificates.check()
    const warning = 'no certificate is for the host of server.external_url, where clients are sent: other.example.org'
    expect(gate.warnings()).toEqual([warning])
    expect(gate.certificates.status().uncovered_host).toBe('other.example.org')
    host = NAME
    expect(gate.certificates.status().uncovered_host).toBeUndefined()
    await gate.certificates.check()
    expect(gate.warnings()).toEqual([warning])
  })

  test('without the name of an issuer are served', async () => {
    const nameless = makeIdentity([NAME], 'ec', '/')
    write(nameless.cert, nameless.key)
    const gate = watched({ files: files() }, place.path)
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([nameless])
    expect(gate.first()?.served?.issuer).toBe('')
  })

  test('in a directory where much happens are read once for all of it', async () => {
    write()
    let looks = 0
    const monotonic = () => {
      looks++ // each look at a pair that does not fit asks for the time
      return performance.now()
    }
    const gate = watched({ files: files() }, place.path, { monotonic })
    await gate.certificates.ready
    const isServed = new Promise<void>((resolve) => gate.certificates.identities.onChange(resolve))
    place.write('key.pem', 'not a key')
    let events = 0
    const busy = new Promise<void>((resolve) => {
      const watcher = watch(place.path, () => {
        if (++events < 200) return
        watcher.close()
        resolve()
      })
    })
    looks = 0
    for (let i = 0; i < 200; i++) place.write(`other-${i}`, '')
    await busy
    expect(looks).toBeLessThan(20)
    write(two?.cert, two?.key)
    await isServed
    expect(gate.certificates.identities.current()).toEqual([two])
  })

  test('may be links that change all at once', async () => {
    for (const [name, identity] of [
      ['a', one],
      ['b', two],
    ] as const) {
      mkdirSync(place.file(name))
      place.write(`${name}/cert.pem`, identity?.cert ?? '')
      place.write(`${name}/key.pem`, identity?.key ?? '')
    }
    symlinkSync('a', place.file('current'))
    const at = { cert: place.file('current/cert.pem'), key: place.file('current/key.pem') }
    const gate = watched({ files: at }, place.path)
    await gate.certificates.ready
    symlinkSync('b', place.file('next'))
    renameSync(place.file('next'), place.file('current'))
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([two])
  })

  test('that are not there yet are an alarm, and served when they come', async () => {
    const gate = watched(
      { files: { cert: place.file('later/cert.pem'), key: place.file('later/key.pem') } },
      place.path,
    )
    await gate.certificates.check()
    expect(gate.first()).toMatchObject({ alarm: { kind: 'absent', message: expect.stringContaining('ENOENT') } })
    mkdirSync(place.file('later'))
    place.write('later/cert.pem', 'noise')
    place.write('later/key.pem', '')
    await gate.certificates.check()
    expect(gate.first()?.alarm?.message).toContain('is not a certificate in PEM') // the cause of now
    place.write('later/cert.pem', one?.cert ?? '')
    place.write('later/key.pem', one?.key ?? '')
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([one])
    expect(gate.first()?.alarm).toBeUndefined()
  })

  test('are one alarm, whatever they are called', async () => {
    const told: string[] = []
    const gate = watched({ files: files() }, place.path, {
      webhook: () => 'http://hook.example',
      async send({ body = '' }) {
        const { event, certificate } = JSON.parse(body) as { event: string; certificate: { path: string } }
        told.push(`${event} ${certificate.path}`)
        return { status: 204, headers: {}, text: '' }
      },
    })
    await gate.certificates.check()
    write()
    await gate.certificates.check()
    expect(told).toEqual([`tls.alarm ${files().cert}`, `tls.resolved ${files().cert}`])
  })

  test('that vanish are served on', async () => {
    write()
    const gate = watched({ files: files() }, place.path)
    await gate.certificates.ready
    rmSync(files().key)
    gate.pass(MINUTE_MS)
    await gate.certificates.check()
    gate.pass(MINUTE_MS)
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([one])
  })

  test('that run out are served on, and alarms are posted when they begin, change and end', async () => {
    const told: string[] = []
    let status = 500
    const server = createServer((request, response) => {
      let text = ''
      request.on('data', (part: Buffer) => {
        text += part.toString()
      })
      request.once('end', () => {
        const { event, certificate } = JSON.parse(text) as { event: string; certificate: { alarm?: { kind: string } } }
        told.push(`${status} ${event} ${certificate.alarm?.kind ?? ''}`)
        response.writeHead(status).end()
      })
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const webhook = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
    write()
    const gate = watched({ files: files() }, place.path, { webhook })
    gate.pass(1.6 * DAY_MS)
    await gate.certificates.check()
    status = 204
    gate.pass(MINUTE_MS)
    await gate.certificates.check()
    gate.pass(DAY_MS)
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([one])
    gate.jump(-2.6 * DAY_MS)
    await gate.certificates.check()
    await gate.certificates.check()
    // one that is not taken is told again
    expect([...new Set(told)]).toEqual([
      '500 tls.alarm expiring',
      '204 tls.alarm expiring',
      '204 tls.alarm expired',
      '204 tls.resolved ',
    ])
    expect(told.filter((line) => line.startsWith('204'))).toHaveLength(3)
  })
})

describe('the CA of the host', () => {
  const random = (count: number) => crypto.getRandomValues(new Uint8Array(count))
  const permitted = { domains: ['example.org'], addresses: ['192.0.2.7'] }
  async function apply(): Promise<void> {
    const root = await makeRoot('example.org', permitted, Date.now(), random)
    const { cert, key } = await makeIssuer(root, Date.now(), random)
    mkdirSync(join(place.path, 'tls/ca'), { recursive: true })
    place.write('tls/ca/issuer.pem', cert)
    place.write('tls/ca/issuer.key', key)
  }

  test('signs at the start, again with a third of the life left, and when apply leaves another issuer', async () => {
    await apply()
    const gate = watched({ internalCa: { names: [NAME, '192.0.2.7'] } }, place.path)
    await gate.certificates.check()
    expect(gate.errors()).toEqual([])
    const first = gate.serial()
    expect(gate.certificates.identities.current()[0]?.names).toEqual([NAME, '192.0.2.7'])
    await gate.certificates.check()
    expect(gate.serial()).toBe(first)
    gate.pass(10 * DAY_MS)
    await gate.certificates.check()
    const second = gate.serial()
    expect(second).not.toBe(first)
    await apply()
    gate.pass(2 * 60 * MINUTE_MS)
    await gate.certificates.check()
    expect(gate.serial()).not.toBe(second)
  })

  test('signs anew when the clock was ahead, and raises an alarm where it cannot', async () => {
    await apply()
    const gate = watched({ internalCa: { names: [NAME] } }, place.path)
    gate.jump(40 * DAY_MS)
    await gate.certificates.check()
    const ahead = gate.serial()
    gate.jump(-40 * DAY_MS)
    rmSync(join(place.path, 'tls/ca/issuer.key'))
    await gate.certificates.check()
    expect(gate.first()?.alarm).toMatchObject({ kind: 'not-yet-valid' })
    await apply()
    gate.pass(2 * MINUTE_MS)
    await gate.certificates.check()
    expect(gate.serial()).not.toBe(ahead)
    expect(Date.parse(gate.first()?.served?.not_before ?? '')).toBeLessThan(Date.now())
    expect(gate.first()?.alarm).toBeUndefined()
  })

  test('signs anew at once when the clock is set back', async () => {
    await apply()
    const gate = watched({ internalCa: { names: [NAME] } }, place.path)
    gate.jump(40 * DAY_MS)
    await gate.certificates.check()
    gate.jump(-40 * DAY_MS)
    await gate.certificates.check()
    expect(Date.parse(gate.first()?.served?.not_before ?? '')).toBeLessThan(Date.now())
    const serial = gate.serial()
    await gate.certificates.check()
    expect(gate.serial()).toBe(serial)
  })

  test('says what to do while there is none, and signs as soon as there is', async () => {
    const gate = watched({ internalCa: { names: [NAME] } }, place.path)
    await gate.certificates.check()
    expect(gate.first()).toMatchObject({
      alarm: { kind: 'absent', message: expect.stringContaining('run gatectl apply') },
    })
    await apply()
    await gate.certificates.check()
    expect(gate.first()?.alarm).toBeUndefined()
    expect(gate.serial()).toBeDefined()
  })

  test('signs for no name that it may not', async () => {
    await apply()
    const gate = watched({ internalCa: { names: ['ai.example.com'] } }, place.path)
    await gate.certificates.check()
    expect(gate.errors()[0]).toMatch(/may not sign for ai\.example\.com/)
    expect(gate.certificates.identities.current()).toEqual([])
  })
})

describe.skipIf(!hasOpenssl)('Tailscale (needs openssl)', () => {
  const name = 'gate.tail1234.ts.net'
  const identity = hasOpenssl ? makeIdentity([name]) : undefined
  const whole = `${identity?.key}${identity?.cert}`

  /** What tailscaled answers on its socket. */
  async function answering(status: number, text: string) {
    const asked: string[] = []
    const server = createServer(({ url, headers }, response) => {
      asked.push(`${headers.host} ${url}`)
      response.writeHead(status).end(text)
    })
    servers.push(server)
    const socket = place.file('tailscaled.sock')
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    return { socket, asked }
  }

  test('gives the pair of a name', async () => {
    const { socket, asked } = await answering(200, whole)
    const gate = watched({ tailscale: { names: [name], socket } }, place.path)
    await gate.certificates.check()
    expect(gate.certificates.identities.current()).toEqual([identity])
    expect(asked).toEqual([`local-tailscaled.sock /localapi/v0/cert/${name}?type=pair`])
  })

  test('that gives the same pair again has issued nothing', async () => {
    const { socket, asked } = await answering(200, whole)
    const gate = watched({ tailscale: { names: [name], socket } }, place.path)
    await gate.certificates.check()
    let changes = 0
    gate.certificates.identities.onChange(() => changes++)
    gate.pass(1.5 * DAY_MS)
    await gate.certificates.check()
    await gate.certificates.check()
    expect(asked).toHaveLength(2)
    expect(gate.first()?.renewals).toEqual({ succeeded: 1, failed: 0 })
    expect(changes).toBe(0)
  })

  test.each([
    { name: 'refuses', status: 403, text: '', error: 'TS_PERMIT_CERT_UID' },
    { name: 'fails', status: 500, text: 'no HTTPS in this tailnet\n', error: 'status 500: no HTTPS in this tailnet' },
    {
      name: 'answers without a key',
      status: 200,
      text: identity?.cert ?? '',
      error: 'without a certificate and its key',
    },
    { name: 'answers at length', status: 200, text: 'x'.repeat(2 ** 19), error: 'too long' },
    { name: 'answers for another name', status: 200, text: `${one?.key}${one?.cert}`, error: 'not for the name' },
  ])('that $name is said', async ({ status, text, error }) => {
    const { socket } = await answering(status, text)
    const gate = watched({ tailscale: { names: [name], socket } }, place.path)
    await gate.certificates.check()
    expect(gate.errors()[0]).toContain(error)
  })

  test('that does not run is said', async () => {
    const gate = watched({ tailscale: { names: [name], socket: place.file('none.sock') } }, place.path)
    await gate.certificates.check()
    expect(gate.errors()[0]).toContain('could not be asked')
  })
})

describe('what ACME lacks on this host is named', () => {
  const acme = {
    email: undefined,
    key: 'ecdsa',
    eab: undefined,
    names: [NAME],
    challenge: 'tls-alpn-01',
    dns: undefined,
    resolvers: [],
    caFile: undefined,
  } as const

  test.each([
    {
      name: 'a CA that is not there',
      caFile: 'none.pem',
      says: /^tls\.acme\.ca: \/.*none\.pem cannot be read \(ENOENT\)$/,
    },
    { name: 'a folder', caFile: '.', says: /^tls\.acme\.ca: \/.* cannot be read \(EISDIR\)$/ },
    {
      name: 'a CA that is not PEM',
      caFile: 'der.crt',
      says: /^tls\.acme\.ca: \/.*der\.crt has no certificate in PEM$/,
    },
  ])('$name, at the start and when a certificate is due', async ({ caFile, says }) => {
    place.write('der.crt', Buffer.from([0x30, 0x82, 1, 2]).toString('latin1'))
    const directory = 'https://127.0.0.1:1/dir'
    const gate = watched({ acme: { ...acme, directory, caFile: place.file(caFile) } }, place.path)
    expect(gate.errors()).toEqual([expect.stringMatching(says)])
    await gate.certificates.check()
    expect(gate.first()?.last_error?.message).toMatch(says)
  })

  test('the key of an external account', async () => {
    const server = createServer((_, response) => void response.end('{}'))
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const directory = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dir`
    const gate = watched({ acme: { ...acme, directory, eab: { kid: 'k', hmac: undefined } } }, place.path)
    await gate.certificates.check()
    expect(gate.first()?.last_error?.message).toMatch(/^tls\.acme\.eab_kid is set, and tls\.acme\.eab_hmac is missing/)
  })

  test('a name for the CA of this host', async () => {
    const gate = watched({ internalCa: { names: [] } }, place.path)
    await gate.certificates.check()
    expect(gate.first()).toMatchObject({
      name: 'internal-ca',
      names: [],
      alarm: { message: expect.stringMatching(/tls\.internal_ca has no name to certify: set tls\.names/) },
    })
  })
})

test('a name that no source has cannot be renewed', async () => {
  const gate = watched({}, place.path)
  await expect(gate.certificates.renew('other.example.org', signal)).rejects.toThrow(RangeError)
})

describe('alarms', () => {
  test('whose webhook hangs keep no certificate from being tried again', async () => {
    const posted: string[] = []
    const gate = watched({ internalCa: { names: [NAME] } }, place.path, {
      webhook: () => 'http://hook.example',
      send: ({ url }, cut) =>
        new Promise((_resolve, reject) => {
          posted.push(url)
          cut.addEventListener('abort', () => reject(cut.reason))
        }),
    })
    const checks = [gate.certificates.check()]
    const failed = () => gate.first()?.renewals.failed
    await vi.waitFor(() => expect([failed(), posted.length]).toEqual([1, 1]))
    gate.pass(2 * MINUTE_MS)
    checks.push(gate.certificates.check())
    await vi.waitFor(() => expect(failed()).toBe(2))
    expect(posted).toHaveLength(1)
    await gate.certificates.close()
    await Promise.all(checks)
  })

  test('are told after a webhook was down for a day', async () => {
    let isUp = false
    let attempts = 0
    const gate = watched({ files: { cert: place.file('a'), key: place.file('b') } }, place.path, {
      webhook: () => 'http://hook.example',
      async send() {
        attempts++
        if (!isUp) throw new Error('down')
        return { status: 204, headers: {}, text: '' }
      },
    })
    for (let minutes = 0; minutes < 24 * 60; minutes += 10) {
      await gate.certificates.check()
      gate.pass(10 * MINUTE_MS)
    }
    expect(attempts).toBeLessThan(40)
    isUp = true
    gate.pass(60 * MINUTE_MS)
    const before = attempts
    await gate.certificates.check()
    await gate.certificates.check()
    expect(attempts - before).toBe(1)
  })

  test('go on after an error', async () => {
    let isBroken = true
    const now = () => (isBroken ? Number.NaN : Date.now())
    const gate = watched({ files: { cert: place.file('a'), key: place.file('b') } }, place.path, { now })
    await gate.certificates.check()
    expect(gate.errors().join()).toContain('Invalid time value')
    isBroken = false
    await gate.certificates.check()
    expect(gate.first()?.alarm).toMatchObject({ kind: 'absent' })
  })
})
