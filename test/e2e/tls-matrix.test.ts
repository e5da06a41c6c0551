import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { dirname } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { throwAwayCertificate } from '../support/certificate.ts'
import {
  answerToHello,
  captureHello,
  inRecords,
  record,
  SERVER_NAME,
  withExtensions,
  withName,
} from '../support/client-hello.ts'
import { until } from '../support/daemon.ts'
import { isLong, someOf } from '../support/effort.ts'
import { gnutlsHandshake, opensslHandshake } from '../support/handshakes.ts'
import { hasProgram } from '../support/programs.ts'
import { startTlsDaemon, TLS_NAMES, type TlsDaemon } from '../support/tls-daemon.ts'

let gate: TlsDaemon
beforeAll(async () => {
  gate = await startTlsDaemon()
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
})

/** Of a client whose own policy does not keep it from asking. */
const WEAK = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'

describe.skipIf(!hasProgram('openssl'))('OpenSSL', () => {
  test.each(
    someOf(
      [
        { version: 'TLSv1.3', args: ['-tls1_3'] },
        { version: 'TLSv1.2', args: ['-tls1_2'] },
        { version: 'TLSv1.1', args: ['-tls1_1', '-cipher', WEAK], isRefused: true },
        { version: 'TLSv1', args: ['-tls1', '-cipher', WEAK], isRefused: true },
      ],
      5,
    ),
  )('$version', async ({ version, args, isRefused = false }) => {
    const handshake = await opensslHandshake(gate.https, args)
    expect(handshake?.version ?? null).toBe(isRefused ? null : version)
  })

  test.each(
    someOf(
      [
        'TLS_AES_256_GCM_SHA384',
        'TLS_CHACHA20_POLY1305_SHA256',
        'TLS_AES_128_GCM_SHA256',
        'ECDHE-ECDSA-AES256-GCM-SHA384',
        'ECDHE-ECDSA-CHACHA20-POLY1305',
        'ECDHE-ECDSA-AES128-GCM-SHA256',
      ],
      5,
    ),
  )('takes %s', async (cipher) => {
    const args = cipher.startsWith('TLS_') ? ['-tls1_3', '-ciphersuites', cipher] : ['-tls1_2', '-cipher', cipher]
    expect((await opensslHandshake(gate.https, args))?.cipher).toBe(cipher)
  })

  test.each(
    someOf(
      [
        'ECDHE-ECDSA-AES256-SHA384',
        'ECDHE-ECDSA-AES128-SHA256',
        'ECDHE-ECDSA-AES128-SHA',
        'ECDHE-ECDSA-CAMELLIA128-SHA256',
        'ECDHE-ECDSA-NULL-SHA',
        'DHE-RSA-AES256-GCM-SHA384',
        'AES256-GCM-SHA384',
        'AES128-SHA',
        'AECDH-AES128-SHA',
        'ADH-AES128-GCM-SHA256',
        'PSK-AES128-GCM-SHA256',
      ],
      5,
    ),
  )('refuses %s', async (cipher) => {
    expect(await opensslHandshake(gate.https, ['-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`])).toBeNull()
  })

  test.each(
    someOf(
      [
        { group: 'X25519', takes: true },
        { group: 'P-256', takes: true },
        { group: 'P-384', takes: true },
        { group: 'ffdhe2048', takes: false },
        { group: 'brainpoolP256r1', takes: false },
        { group: 'secp256k1', takes: false },
      ],
      5,
    ),
  )('the group $group', async ({ group, takes }) => {
    const handshake = await opensslHandshake(gate.https, ['-tls1_3', '-groups', group])
    expect(handshake !== null).toBe(takes)
  })

  test.each(
    someOf(
      [
        { offers: null, chosen: null },
        { offers: 'h2', chosen: 'h2' },
        { offers: 'http/1.1', chosen: 'http/1.1' },
        { offers: 'http/1.1,h2', chosen: 'h2' },
        { offers: 'foo,http/1.1', chosen: 'http/1.1' },
        { offers: 'acme-tls/1,h2', chosen: 'h2' },
        { offers: 'acme-tls/1,http/1.1', chosen: 'http/1.1' },
      ],
      5,
    ),
  )('of the protocols $offers it chooses $chosen', async ({ offers, chosen }) => {
    const handshake = await opensslHandshake(gate.https, offers === null ? [] : ['-alpn', offers])
    expect(handshake).toMatchObject({ alpn: chosen })
  })

  test.each(someOf(['foo', 'h3', 'h2c', 'H2', 'acme-tls/1', 'http/1.0'], 8))(
    'refuses to speak %s',
    async (protocol) => {
      expect(await opensslHandshake(gate.https, ['-alpn', protocol])).toBeNull()
    },
  )

  test.each(
    someOf(
      [
        { name: 'none', args: ['-noservername'] },
        { name: 'its own', args: ['-servername', 'gate.test'] },
        { name: 'upper case', args: ['-servername', 'GATE.TEST'] },
        { name: 'a trailing dot', args: ['-servername', 'gate.test.'] },
        { name: 'an address', args: ['-servername', '127.0.0.1'] },
        { name: 'one below a wildcard', args: ['-servername', 'a.wild.test'] },
        { name: 'an unknown one', args: ['-servername', 'elsewhere.test'] },
      ],
      5,
    ),
  )('answers a client that asks for a name: $name', async ({ args }) => {
    const ask = 'GET /health HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\n\r\n'
    for (const version of ['-tls1_2', '-tls1_3']) {
      const handshake = await opensslHandshake(gate.https, [version, '-ign_eof', ...args], ask)
      expect(handshake?.text).toContain('HTTP/1.1 200 OK')
    }
  })

  test.each(someOf(['-tls1_2', '-tls1_3'], 8))('resumes a session by a ticket: %s', async (version) => {
    const file = `${gate.stateDirectory}/session${version}.pem`
    const ask = 'GET /health HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\n\r\n'
    const first = await opensslHandshake(gate.https, [version, '-ign_eof', '-sess_out', file], ask)
    expect(first).toMatchObject({ isResumed: false })
    const second = await opensslHandshake(gate.https, [version, '-ign_eof', '-sess_in', file], ask)
    expect(second).toMatchObject({ isResumed: true })
    expect(second?.text).toContain('HTTP/1.1 200 OK')
    // 0-RTT could be repeated by whoever sees it
    expect(first?.text).not.toMatch(/Max Early Data: [1-9]/)
  })

  test('a ticket of a certificate that was replaced is not taken, and its client served all the same', async () => {
    const own = await startTlsDaemon()
    try {
      const ask = 'GET /health HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\n\r\n'
      const file = `${own.stateDirectory}/session.pem`
      const asked = (more: readonly string[]) =>
        opensslHandshake(own.https, ['-tls1_3', '-ign_eof', '-servername', 'gate.test', ...more], ask)
      const first = await asked(['-sess_out', file])
      expect(await asked(['-sess_in', file])).toMatchObject({ isResumed: true })
      throwAwayCertificate(dirname(own.certFile), TLS_NAMES)
      const certificateOf = (text = '') => /-----BEGIN CERTIFICATE-----[^-]+/.exec(text)?.[0]
      await until(async () => certificateOf((await asked([]))?.text) !== certificateOf(first?.text))
      const after = await asked(['-sess_in', file])
      expect(after).toMatchObject({ isResumed: false })
      expect(after?.text).toContain('HTTP/1.1 200 OK')
    } finally {
      await own.stop()
      own.remove()
    }
  })

  test('does not negotiate again when a client asks', async () => {
    const handshake = await opensslHandshake(gate.https, ['-tls1_2', '-servername', 'gate.test'], 'R\nR\nR\n')
    expect(handshake?.text).toContain('RENEGOTIATING')
    expect(handshake?.text).toMatch(/no renegotiation|alert|error/i)
    expect(handshake?.text).toContain('Secure Renegotiation IS supported')
  })
})

describe.skipIf(!hasProgram('gnutls-cli'))('GnuTLS', () => {
  const priority = (text: string) => ['--sni-hostname', 'gate.test', '--priority', text]

  test.each(
    someOf(
      [
        { version: 'TLS1.3', more: '' },
        { version: 'TLS1.2', more: '' },
        { version: 'TLS1.1', more: ':+CIPHER-ALL:+MAC-ALL:+SIGN-ALL', isRefused: true },
        { version: 'TLS1.0', more: ':+CIPHER-ALL:+MAC-ALL:+SIGN-ALL', isRefused: true },
      ],
      5,
    ),
  )('$version', async ({ version, more, isRefused = false }) => {
    const handshake = await gnutlsHandshake(gate.https, priority(`NORMAL:-VERS-ALL:+VERS-${version}${more}`))
    expect(handshake?.version ?? null).toBe(isRefused ? null : version)
  })

  test.each(
    someOf(
      [
        { cipher: 'AES-256-GCM', takes: ['TLS1.3', 'TLS1.2'] },
        { cipher: 'AES-128-GCM', takes: ['TLS1.3', 'TLS1.2'] },
        { cipher: 'CHACHA20-POLY1305', takes: ['TLS1.3', 'TLS1.2'] },
        { cipher: 'AES-128-CCM', takes: [] },
        { cipher: 'AES-256-CBC', takes: [] },
        { cipher: '3DES-CBC', takes: [] },
        { cipher: 'ARCFOUR-128', takes: [] },
      ],
      5,
    ),
  )('$cipher: $takes', async ({ cipher, takes }) => {
    for (const version of ['TLS1.3', 'TLS1.2']) {
      const asked = `NORMAL:-VERS-ALL:+VERS-${version}:-CIPHER-ALL:+${cipher}:+MAC-ALL:%NO_EXTENSIONS`.replace(
        ':%NO_EXTENSIONS',
        '',
      )
      const handshake = await gnutlsHandshake(gate.https, priority(asked))
      expect({ version, cipher: handshake?.cipher ?? null }).toEqual({
        version,
        cipher: takes.includes(version) ? cipher : null,
      })
    }
  })

  test.each(
    someOf(
      [
        { group: 'X25519', takes: true },
        { group: 'SECP256R1', takes: true },
        { group: 'SECP384R1', takes: true },
        { group: 'SECP192R1', takes: false },
        { group: 'FFDHE2048', takes: false },
        { group: 'FFDHE8192', takes: false },
      ],
      5,
    ),
  )('the group $group', async ({ group, takes }) => {
    const asked = `NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-${group}`
    const handshake = await gnutlsHandshake(gate.https, priority(asked))
    expect(handshake?.group?.startsWith(group) ?? false).toBe(takes)
  })

  test.each(
    someOf(
      [
        { name: 'no extended master secret', asked: 'NORMAL:%NO_SESSION_HASH:-VERS-TLS1.3' },
        { name: 'no session tickets', asked: 'NORMAL:%NO_TICKETS' },
        { name: 'small records', asked: 'NORMAL', args: ['--recordsize', '512'] },
        {
          name: 'a key for one group, which the other side would not have chosen',
          asked: 'NORMAL:%DISABLE_TLS13_COMPAT_MODE',
        },
        { name: 'a downgrade that is none', asked: 'NORMAL:%COMPAT' },
      ],
      5,
    ),
  )('answers a client with $name', async ({ asked, args = [] }) => {
    const ask = 'GET /health HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\n\r\n'
    expect((await gnutlsHandshake(gate.https, [...priority(asked), ...args], ask))?.text).toContain('HTTP/1.1 200 OK')
  })

  test('notices a client that has come down from a better version', async () => {
    expect(await gnutlsHandshake(gate.https, priority('NORMAL:-VERS-TLS1.3:%FALLBACK_SCSV'))).toBeNull()
  })

  test('resumes a session', async () => {
    for (const version of ['TLS1.3', 'TLS1.2']) {
      const asked = [...priority(`NORMAL:-VERS-ALL:+VERS-${version}`), '--resume', '--waitresumption']
      expect((await gnutlsHandshake(gate.https, asked))?.isResumed).toBe(true)
    }
  })
})

describe('hellos that no library sends', () => {
  let hello: Buffer
  beforeAll(async () => {
    hello = await captureHello({ ALPNProtocols: ['http/1.1'], ecdhCurve: 'X25519' })
  })

  test.each(
    someOf(
      [
        { name: 'as it is', make: () => [hello] },
        { name: 'byte by byte', make: () => Array.from(hello, (byte) => Buffer.of(byte)) },
        { name: 'in records of 7 bytes', make: () => [inRecords(hello, 7)] },
        { name: 'in records of one byte, each in a packet', make: () => inRecordsApart(1) },
        { name: 'for a name of 253 bytes', make: () => [withName(hello, `${'a.'.repeat(124)}a.net`)] },
        {
          name: 'with an extension that is unknown',
          make: () => [withExtensions(hello, (all) => [[0xfafa, Buffer.of(0)], ...all])],
        },
      ],
      5,
    ),
  )('$name is answered', async ({ make }) => {
    expect(await answerToHello(gate.https, make())).toBe('hello')
  })

  const inRecordsApart = (bytes: number) => {
    const message = hello.subarray(5)
    return Array.from({ length: Math.ceil(message.length / bytes) }, (_, i) =>
      record(22, message.subarray(i * bytes, (i + 1) * bytes)),
    )
  }

  test.each(
    someOf(
      [
        { name: 'a name with NUL', make: () => withName(hello, 'gate.test\0.elsewhere.test') },
        { name: 'a name of 256 bytes', make: () => withName(hello, 'a'.repeat(256)) },
        { name: 'a name of 60,000 bytes', make: () => inRecords(withName(hello, 'a'.repeat(60_000)), 16_000) },
        {
          name: 'two extensions for a name',
          make: () => withExtensions(hello, (all) => [...all, ...all.filter(([type]) => type === SERVER_NAME)]),
        },
        {
          name: 'a list of names that says it is longer',
          make: () => withExtensions(hello, (all) => [[SERVER_NAME, Buffer.of(0, 200, 0, 0, 1, 97)], ...all.slice(1)]),
        },
        { name: 'a session id that is longer than the hello', make: () => withByte(hello, 43, 0xff) },
        { name: 'HTTP', make: () => Buffer.from('GET /health HTTP/1.1\r\nHost: gate.test\r\n\r\n') },
        { name: 'SSH', make: () => Buffer.from('SSH-2.0-OpenSSH_9.2\r\n') },
        {
          name: 'a hello of SSL 2',
          make: () => Buffer.concat([Buffer.of(0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10), Buffer.alloc(0x25, 1)]),
        },
        { name: 'a hello of SSL 3', make: () => ssl3(hello) },
        { name: 'a record of 20,000 bytes', make: () => record(22, Buffer.alloc(20_000, 1)) },
        { name: 'application data', make: () => record(23, Buffer.alloc(100)) },
        { name: 'an alert', make: () => record(21, Buffer.of(2, 40)) },
        { name: 'a hello of a server', make: () => record(22, Buffer.of(2, 0, 0, 4, 3, 3, 0, 0)) },
        {
          name: 'a hello that is 16 MB long',
          make: () => record(22, Buffer.of(1, 0xff, 0xff, 0xff, 3, 3)),
          ends: true,
        },
        { name: 'half a hello, and the end', make: () => hello.subarray(0, 100), ends: true },
        { name: 'nothing, and the end', make: () => Buffer.of(), ends: true },
      ],
      5,
    ),
  )('$name is refused', async ({ make, ends = false }) => {
    expect(await answerToHello(gate.https, [make()], { ends })).toMatch(/^(?:alert \d+|closed)$/)
  })

  const withByte = (bytes: Buffer, at: number, value: number) => {
    const other = Buffer.from(bytes)
    other[at] = value
    return other
  }

  /** The oldest version in the record and in the hello, and no extension that speaks of newer ones. */
  const ssl3 = (bytes: Buffer) => {
    const old = withExtensions(bytes, () => [])
    old[2] = 0
    old[10] = 0
    return old
  }

  test.skipIf(!isLong)('a client that says nothing, and one that stops in its hello, are closed', async () => {
    const { hostname, port } = new URL(gate.https)
    const ends = [Buffer.of(), hello.subarray(0, 1), hello.subarray(0, 60)].map(async (bytes) => {
      const socket = connectTcp({ host: hostname, port: Number(port) })
      socket.on('error', () => {})
      socket.write(bytes)
      socket.resume()
      await once(socket, 'close')
    })
    await Promise.all(ends)
  })

  test('a client with a key of after the quantum age', async () => {
    const { hostname, port } = new URL(gate.https)
    const socket = connect({
      host: hostname,
      port: Number(port),
      ecdhCurve: 'X25519MLKEM768',
      rejectUnauthorized: false,
    })
    await once(socket, 'secureConnect')
    expect(socket.getProtocol()).toBe('TLSv1.3')
    socket.destroy()
  })
})
