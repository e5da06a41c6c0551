import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { AcmeSettings } from '../../daemon/certificates/settings.ts'
import { certificateId } from '../../pki/acme/ari.ts'
import { type AcmeFront, startAcmeFront } from '../support/acme-front.ts'
import { hasBind9, startBind9 } from '../support/bind9.ts'
import { watchedCertificates } from '../support/certificates.ts'
import { challengeListener } from '../support/challenge-listener.ts'
import { startCloudflareApi } from '../support/cloudflare-api.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { isLong, sampled, someOf } from '../support/effort.ts'
import { canMount, fill, mountSmall } from '../support/full-disk.ts'
import { BLOCKED_NAME, hasPebble, type Pebble, startPebble } from '../support/pebble.ts'
import { freePort, hasProgram, run } from '../support/programs.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const NAME = 'ai.example.org'
const { signal } = new AbortController()
const hasFaketime = hasProgram('faketime')

const gateway = (acme: AcmeSettings, stateDirectory: string) => watchedCertificates({ acme }, stateDirectory)
type Gateway = ReturnType<typeof gateway>

describe.skipIf(!hasPebble)('with Pebble', () => {
  let listener: Awaited<ReturnType<typeof challengeListener>>
  let pebble: Pebble
  let front: AcmeFront
  let served: Gateway | undefined
  const folders: string[] = []
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), 'gate-acme-'))
    folders.push(made)
    return made
  }
  const settings = (changes: Partial<AcmeSettings> = {}): AcmeSettings => ({
    directory: pebble.directory,
    caFile: pebble.caFile,
    email: 'admin@example.org',
    key: 'ecdsa',
    eab: undefined,
    names: [NAME],
    challenge: 'tls-alpn-01',
    dns: undefined,
    resolvers: [],
    ...changes,
  })
  /** A gateway that has its certificate. */
  async function started(changes: Partial<AcmeSettings> = {}, state = folder()): Promise<Gateway> {
    served = gateway(settings(changes), state)
    await served.certificates.check()
    expect(served.errors()).toEqual([])
    return served
  }
  /** One behind the front, so that its CA can be told what to do. */
  const behindFront = (changes: Partial<AcmeSettings> = {}) => started({ directory: front.directory, ...changes })

  beforeAll(async () => {
    listener = await challengeListener(() => served?.certificates.identities)
    pebble = await startPebble(listener)
    front = await startAcmeFront(pebble)
  })
  afterEach(() => {
    Object.assign(front, { limitSeconds: 0, aheadMs: 0, window: null })
    front.orders.length = 0
  })
  afterAll(async () => {
    listener.close()
    front.close()
    await pebble.remove()
    for (const made of folders) rmSync(made, { recursive: true })
  })

  test.each([
    { challenge: 'tls-alpn-01', key: 'ecdsa', text: 'ecdsa P-256' },
    { challenge: 'tls-alpn-01', key: 'rsa', text: 'rsa 2048' },
    { challenge: 'http-01', key: 'ecdsa', text: 'ecdsa P-256' },
    { challenge: 'http-01', key: 'rsa', text: 'rsa 2048' },
  ] as const)('$challenge gets certificates of several names, keys $key', async ({ challenge, key, text }) => {
    const names = [NAME, 'chat.example.org']
    const { certificates } = await started({ challenge, key, names })
    const root = new X509Certificate(await pebble.issuer())
    for (const [at, identity] of certificates.identities.current().entries()) {
      const [leaf, issuer] = identity.cert
        .split(/(?<=-----END CERTIFICATE-----\n)/)
        .map((pem) => new X509Certificate(pem))
      expect(identity.names).toEqual([names[at]])
      expect(issuer !== undefined && leaf?.verify(issuer.publicKey) && issuer.verify(root.publicKey)).toBe(true)
    }
    expect(certificates.status().certificates.map((one) => one.served?.key)).toEqual([text, text])
    expect(certificates.status().account).toMatchObject({ directory: pebble.directory, email: 'admin@example.org' })
  })

  test('challenges are answered while they are pending, and not after', async () => {
    const { certificates } = await started()
    expect(certificates.identities.challengeFor(NAME)).toBeUndefined()
    expect(certificates.identities.httpChallenge(NAME, 'token')).toBeUndefined()
  })

  test('everything on the disk is for the account alone, and is served after a restart without an order', async () => {
    const state = folder()
    const before = await started({}, state)
    const all = readdirSync(state, { recursive: true, withFileTypes: true })
    const modes = all.map((file) => statSync(join(file.parentPath, file.name)).mode & 0o777)
    expect(all.map((file) => (file.isFile() ? 0o600 : 0o700))).toEqual(modes)
    expect(
      all
        .filter((file) => file.isFile())
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['account.json', 'account.key', 'cert.pem', 'key.pem', 'meta.json'])
    const after = gateway(settings({ directory: 'https://127.0.0.1:1/dir', names: [] }), state)
    expect(after.certificates.identities.current()).toEqual([])
    const again = await started({}, state)
    expect(again.serial()).toBe(before.serial())
  })

  test.skipIf(!isLong)('a certificate of another CA or with another kind of key is served, and replaced', async () => {
    const state = folder()
    const before = await started({}, state)
    const next = gateway(settings({ key: 'rsa' }), state)
    expect(next.serial()).toBe(before.serial())
    served = next
    await next.certificates.check()
    expect(next.first()?.served?.key).toBe('rsa 2048')
  })

  test.skipIf(!isLong)('the account that a CA has forgotten is registered again', async () => {
    const state = folder()
    const before = await started({}, state)
    await pebble.stop()
    await pebble.start()
    served = gateway(settings(), state)
    await served.certificates.renew(NAME, signal)
    expect(served.serial()).not.toBe(before.serial())
  })

  test.skipIf(!isLong)('another address is told to the CA, whose account stays the same', async () => {
    const state = folder()
    const before = await started({}, state)
    const after = gateway(settings({ email: 'other@example.org' }), state)
    served = after
    await after.certificates.renew(NAME, signal)
    const { account } = before.certificates.status()
    expect(after.certificates.status().account).toEqual({ ...account, email: 'other@example.org' })
    expect(readFileSync(join(state, 'tls/acme/account.json'), 'utf8')).toContain('other@example.org')
  })

  test('with a third of the life left it is renewed, once', async () => {
    const gate = await behindFront()
    const before = gate.serial()
    gate.pass(55 * DAY_MS)
    front.aheadMs = 55 * DAY_MS
    await gate.certificates.check()
    expect(gate.serial()).toBe(before)
    gate.pass(6 * DAY_MS)
    front.aheadMs = 61 * DAY_MS
    await gate.certificates.check()
    await gate.certificates.check()
    expect(gate.serial()).not.toBe(before)
    expect(front.orders).toHaveLength(2)
  })

  test('when the CA asks for it, it is renewed, and the order says what it replaces', async () => {
    front.window = { start: new Date(Date.now() + 50 * DAY_MS), end: new Date(Date.now() + 51 * DAY_MS) }
    const gate = await behindFront()
    const [before] = gate.certificates.identities.current()
    await gate.certificates.check()
    expect(gate.first()).toMatchObject({ renews_because: 'ari' })
    front.window = { start: new Date(Date.now() - 2 * DAY_MS), end: new Date(Date.now() - DAY_MS) }
    gate.pass(DAY_MS)
    front.aheadMs = DAY_MS
    await gate.certificates.check()
    expect(front.orders.at(-1)).toMatchObject({ replaces: certificateId(before?.cert ?? '') })
    expect(gate.certificates.identities.current()).not.toEqual([before])
  })

  test('a rate limit is answered by waiting', async () => {
    front.limitSeconds = 3 * 3_600
    served = gateway(settings({ directory: front.directory }), folder())
    await served.certificates.check()
    expect(served.errors()).toContain('rateLimited: too many new orders recently')
    for (let minutes = 0; minutes < 170; minutes += 10) {
      served.pass(10 * MINUTE_MS)
      front.aheadMs += 10 * MINUTE_MS
      await served.certificates.check()
    }
    expect(front.orders).toHaveLength(1)
    await expect(served.certificates.renew(NAME, signal)).rejects.toThrow('asked to be left alone')
    front.limitSeconds = 0
    served.pass(20 * MINUTE_MS)
    await served.certificates.check()
    expect(front.orders).toHaveLength(2)
    expect(served.first()?.served).toBeDefined()
  })

  test('while the CA is down for a day, the certificate is served; attempts wait longer and longer', async () => {
    const gate = await behindFront()
    const before = gate.certificates.identities.current()
    gate.pass(61 * DAY_MS)
    front.aheadMs = 61 * DAY_MS
    await pebble.stop()
    for (let minutes = 0; minutes < 24 * 60; minutes += 5) {
      await gate.certificates.check()
      expect(gate.certificates.identities.current()).toEqual(before)
      gate.pass(5 * MINUTE_MS)
      front.aheadMs += 5 * MINUTE_MS
    }
    expect(gate.first()).toMatchObject({ renewals: { succeeded: 1, failed: 4 }, renews_because: 'retry' })
    await pebble.start()
    gate.pass(DAY_MS)
    front.aheadMs += DAY_MS
    await gate.certificates.check()
    expect(gate.first()).toMatchObject({ renewals: { succeeded: 2, failed: 4 } })
    expect(gate.certificates.identities.current()).not.toEqual(before)
  })

  test.skipIf(!isLong)('failures are waited for after a restart as well', async () => {
    const state = folder()
    front.limitSeconds = 7_200
    served = gateway(settings({ directory: front.directory }), state)
    await served.certificates.check()
    for (let restarts = 0; restarts < 5; restarts++) {
      served = gateway(settings({ directory: front.directory }), state)
      await served.certificates.check()
    }
    expect(front.orders).toHaveLength(1)
    expect(served.first()).toMatchObject({ last_error: { message: expect.stringContaining('rateLimited') } })
  })

  test.each(
    someOf(
      [
        { name: 'forward', ms: 400 * DAY_MS, alarm: 'expired' },
        { name: 'forward, into the last quarter', ms: 80 * DAY_MS, alarm: 'expiring' },
        { name: 'back', ms: -400 * DAY_MS, alarm: 'not-yet-valid' },
      ],
      3,
    ),
  )('a clock that jumps $name orders nothing', async ({ ms, alarm }) => {
    const gate = await behindFront()
    const before = gate.serial()
    gate.jump(ms)
    for (let hours = 0; hours < 3; hours++) {
      await gate.certificates.check()
      gate.pass(HOUR_MS)
      front.aheadMs += HOUR_MS
    }
    expect(front.orders).toHaveLength(1)
    expect(gate.serial()).toBe(before)
    expect(gate.first()?.alarm?.kind).toBe(alarm)
    if (ms > 0) expect(gate.first()?.last_error?.message).toMatch(/clock is \d+ h ahead; set it right/)
    gate.jump(-ms)
    await gate.certificates.check()
    expect(gate.first()?.alarm).toBeUndefined()
  })

  test.skipIf(!isLong)('a name that the CA refuses says why, and keeps no other from its certificate', async () => {
    served = gateway(settings({ names: [BLOCKED_NAME, NAME] }), folder())
    await served.certificates.check()
    expect(served.certificates.status().certificates.map((one) => one.served !== undefined)).toEqual([false, true])
    expect(served.first()).toMatchObject({
      alarm: { kind: 'absent' },
      last_error: { message: expect.stringContaining('rejectedIdentifier') },
    })
  })

  test.each(someOf(['tls-alpn-01', 'http-01'] as const, 2))(
    'a name whose %s is not answered says why',
    async (challenge) => {
      served = undefined
      const gate = gateway(settings({ challenge }), folder())
      await gate.certificates.check()
      expect(gate.first()?.last_error?.message).toMatch(/^unauthorized: /)
    },
  )

  test.skipIf(!canMount)(
    'on a full disk it is served from memory, and written when there is room (needs root)',
    async () => {
      const state = folder()
      const unmount = mountSmall(state)
      try {
        const filler = fill(state)
        served = gateway(settings(), state)
        await served.certificates.check()
        const serial = served.serial()
        expect(serial).toBeDefined()
        expect(served.certificates.identities.current()).toHaveLength(1)
        await served.certificates.check()
        expect(served.serial()).toBe(serial)
        const file = join(state, 'tls/certificates', NAME, 'cert.pem')
        expect(existsSync(file)).toBe(false)
        rmSync(filler)
        await served.certificates.check()
        expect(readFileSync(file, 'utf8')).toBe(served.certificates.identities.current()[0]?.cert)
        expect(readdirSync(join(state, 'tls/acme')).sort()).toEqual(['account.json', 'account.key'])
        expect((await started({}, state)).serial()).toBe(serial)
      } finally {
        unmount()
      }
    },
  )

  describe("dns-01 with Cloudflare's API", () => {
    const token = 'cf-token-of-the-test'
    let api: Awaited<ReturnType<typeof startCloudflareApi>>
    beforeAll(async () => {
      api = await startCloudflareApi('example.org', token, pebble.txt)
    })
    afterAll(() => api.close())
    const dns = (changes = {}) => ({
      challenge: 'dns-01' as const,
      dns: { provider: 'cloudflare' as const, api: api.api, token, ...changes },
      resolvers: [pebble.dns],
    })

    test('gets a wildcard and its base, and removes the records', async () => {
      const gate = await started({ ...dns(), names: ['*.ai.example.org', 'ai.example.org'] })
      expect(gate.certificates.identities.current().map(({ names }) => names)).toEqual([
        ['*.ai.example.org'],
        ['ai.example.org'],
      ])
      expect(api.calls.filter((call) => call.startsWith('POST'))).toHaveLength(2)
      expect(api.records()).toEqual([])
    })

    test.each(
      someOf(
        [
          { name: 'a wrong token', changes: { token: 'wrong' }, names: [NAME], error: 'Invalid access token (9109)' },
          {
            name: 'a zone of somebody else',
            changes: {},
            names: ['ai.example.net'],
            error: 'no zone of this token holds',
          },
        ],
        3,
      ),
    )('says that it has $name, without the token', async ({ changes, names, error }) => {
      served = gateway(settings({ ...dns(changes), names }), folder())
      await served.certificates.check()
      expect(served.errors().join()).toContain(error)
      expect(JSON.stringify([served.errors(), served.certificates.status()])).not.toContain(changes.token ?? token)
    })
  })

  test.skipIf(!isLong)('an external account is bound, and a wrong key says so', async () => {
    const eab = { kid: 'kid-1', hmac: Buffer.alloc(32, 9).toString('base64url') }
    const bound = await startPebble({ ...listener, eab })
    try {
      const place = { directory: bound.directory, caFile: bound.caFile }
      served = gateway(settings(place), folder())
      await served.certificates.check()
      expect(served.errors().join()).toContain('externalAccountRequired')
      expect((await started({ ...place, eab })).serial()).toBeDefined()
    } finally {
      await bound.remove()
    }
  })
})

const OWN = [
  { challenge: 'tls-alpn-01', key: 'ecdsa', type: 'ec' },
  { challenge: 'http-01', key: 'rsa', type: 'rsa' },
]
describe.skipIf(!hasPebble).each(OWN.slice(0, sampled(1, OWN.length)))(
  'a daemon of its own, by $challenge with $key keys',
  ({ challenge, key, type }) => {
    let [pebble, daemon]: [Pebble?, Daemon?] = []
    const state = mkdtempSync(join(tmpdir(), 'gate-acme-'))
    afterAll(async () => {
      await daemon?.stop()
      await pebble?.remove()
      rmSync(state, { recursive: true })
    })

    test('gets its certificate by its own listeners; a wrong clock, a restart and a CA that is down change nothing', async () => {
      const [tlsPort, httpPort] = [await freePort(), await freePort()]
      pebble = await startPebble({ tlsPort, httpPort })
      const env = {
        GATE_LETSENCRYPT__ENABLED: 'true',
        GATE_LETSENCRYPT__EMAIL: 'admin@example.org',
        GATE_LETSENCRYPT__DOMAINS: NAME,
        GATE_LETSENCRYPT__CHALLENGE: challenge,
        GATE_TLS__ACME__DIRECTORY: pebble.directory,
        GATE_TLS__ACME__CA: pebble.caFile,
        GATE_TLS__ACME__KEY: key,
        GATE_TLS__HOST: '127.0.0.1',
        GATE_TLS__HTTPS_PORT: String(tlsPort),
        GATE_TLS__HTTP_PORT: String(httpPort),
      }
      daemon = await startDaemon(env, state)
      const { output } = daemon
      await until(() => output().includes('certificate issued'), 30_000)
      const root = await pebble.issuer()
      const leaf = await served(tlsPort, root)
      expect(leaf.subjectAltName).toBe(`DNS:${NAME}`)
      expect(leaf.publicKey.asymmetricKeyType).toBe(type)
      await daemon.stop()
      if (hasFaketime) {
        daemon = await startDaemon({ ...env, ...clockAhead('65d') }, state)
        await until(() => daemon?.output().includes('is it right?') === true, 30_000)
        expect((await served(tlsPort, root)).fingerprint256).toBe(leaf.fingerprint256)
        await daemon.stop()
      }
      await pebble.stop()
      daemon = await startDaemon(env, state)
      expect((await served(tlsPort, root)).fingerprint256).toBe(leaf.fingerprint256)
      expect(output() + daemon.output()).not.toContain('PRIVATE KEY')
    })
  },
)

/** The environment of a program whose clock is ahead, by libfaketime. */
function clockAhead(by: string): Record<string, string> {
  const preload = /^LD_PRELOAD=(.*)$/m.exec(run('faketime', ['-f', `+${by}`, 'env']))?.[1] ?? ''
  return { LD_PRELOAD: preload, FAKETIME: `+${by}`, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
}

/** What a client that trusts the CA is shown. @throws Error when it would not go on */
async function served(port: number, ca: string): Promise<X509Certificate> {
  const socket = connect({ host: '127.0.0.1', port, servername: NAME, ca })
  try {
    await once(socket, 'secureConnect')
    const leaf = socket.getPeerX509Certificate()
    socket.write(`GET /health HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`)
    let answer = ''
    for await (const part of socket) answer += String(part)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    return leaf ?? expect.unreachable('a server has a certificate')
  } finally {
    socket.destroy()
  }
}

describe.skipIf(!hasPebble || !hasBind9)('dns-01 with bind9 and RFC 2136', () => {
  const zone = 'gate.test'
  let bind: Awaited<ReturnType<typeof startBind9>>
  let pebble: Pebble
  const state = mkdtempSync(join(tmpdir(), 'gate-acme-'))
  beforeAll(async () => {
    bind = await startBind9(zone, 'hmac-sha256')
    pebble = await startPebble({ dns: bind.server })
  })
  afterAll(async () => {
    await pebble.remove()
    await bind.stop()
    rmSync(state, { recursive: true })
  })
  const settings = (names: readonly string[], key = bind.key): AcmeSettings => ({
    directory: pebble.directory,
    caFile: pebble.caFile,
    email: undefined,
    key: 'ecdsa',
    eab: undefined,
    names,
    challenge: 'dns-01',
    dns: { provider: 'rfc2136', server: bind.server, zone, key },
    resolvers: [bind.server],
  })

  test('gets a wildcard, a name of several labels, and one whose challenge is a CNAME', async () => {
    const names = [`*.${zone}`, `a.b.${zone}`, `cname.${zone}`]
    const gate = gateway(settings(names), state)
    await gate.certificates.check()
    expect(gate.errors()).toEqual([])
    expect(gate.certificates.identities.current().map((identity) => identity.names)).toEqual(
      names.map((name) => [name]),
    )
  })

  test.each(
    someOf(
      [
        { name: 'a wrong secret', key: { secret: Buffer.alloc(32).toString('base64') }, error: 'NOTAUTH' },
        { name: 'an unknown key', key: { name: 'other-key' }, error: 'BADKEY' },
        { name: 'another algorithm', key: { algorithm: 'hmac-sha512' as const }, error: 'BADKEY' },
      ],
      3,
    ),
  )('says that it has $name', async ({ key, error }) => {
    mkdirSync(join(state, error), { recursive: true })
    const gate = gateway(settings([`ai.${zone}`], { ...bind.key, ...key }), join(state, error))
    await gate.certificates.check()
    expect(gate.errors().join()).toMatch(/DNS update of _acme-challenge\.ai\.gate\.test/)
    expect(gate.errors().join()).not.toContain(bind.key.secret)
  })
})
