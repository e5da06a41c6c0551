import { describe, expect, test } from 'vitest'
import { decodeReply, encodeName, encodeUpdate, withAdditional } from '../../../../../pki/acme/dns/message.ts'
import { sign, TSIG_ALGORITHMS, type TsigKey, verify } from '../../../../../pki/acme/dns/tsig.ts'

const KEY: TsigKey = { name: 'gate-key', algorithm: 'hmac-sha256', secret: Buffer.alloc(32, 7).toString('base64') }
const NOW_S = 1_800_000_000
const change = { kind: 'add', name: '_acme-challenge.ai.example.org', value: 'x'.repeat(43), ttl: 60 } as const

test.each([
  { name: 'ai.example.org', wire: '\x02ai\x07example\x03org\0' },
  { name: 'AI.Example.org.', wire: '\x02ai\x07example\x03org\0' },
  { name: '', wire: '\0' },
])('the name "$name" in wire form', ({ name, wire }) => {
  expect(encodeName(name).toString('latin1')).toBe(wire)
})

test.each(['a..b', '.a', `${'x'.repeat(64)}.org`, Array(50).fill('label').join('.')])('%s is not a name', (name) => {
  expect(() => encodeName(name)).toThrow(RangeError)
})

test('an update has the layout of RFC 2136', () => {
  const message = encodeUpdate(0x1234, 'example.org', change)
  expect(message.subarray(0, 12).toString('hex')).toBe('123428000001000000010000')
  expect(message.subarray(12, 12 + 17).toString('latin1')).toBe('\x07example\x03org\0\0\x06\0\x01')
})

test('a value that no TXT string holds is refused', () => {
  expect(() => encodeUpdate(1, 'example.org', { ...change, value: 'x'.repeat(256) })).toThrow(RangeError)
})

describe.each(TSIG_ALGORITHMS)('a reply signed with %s', (algorithm) => {
  const key: TsigKey = { ...KEY, algorithm }
  const asked = sign(encodeUpdate(7, 'example.org', change), key, NOW_S)

  /** What a server sends: a header, signed with the request's signature before it. */
  const reply = (id: number, code: number, nowS = NOW_S, secret = key.secret, before = asked.mac) => {
    const header = Buffer.alloc(12)
    header.writeUInt16BE(id, 0)
    header.writeUInt16BE(0x8000 | (5 << 11) | code, 2)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(before.length)
    // a request is signed like a reply, but for the signature that comes before it
    const { signed } = sign(Buffer.concat([length, before, header]), { ...key, secret }, nowS)
    const record = signed.subarray(2 + before.length + 12)
    const id16 = Buffer.alloc(2)
    id16.writeUInt16BE(id)
    id16.copy(record, record.length - 6)
    return Buffer.concat([withAdditional(header, 1), record])
  }

  test('is believed', () => {
    expect(decodeReply(reply(7, 0))).toMatchObject({ id: 7, code: 0, additional: 1 })
    expect(() => verify(reply(7, 0), 7, key, asked.mac, NOW_S)).not.toThrow()
  })

  test.each([
    { name: 'an error', text: reply(7, 5), error: 'REFUSED' },
    { name: 'another id', text: reply(8, 0), error: 'another message' },
    { name: 'another key', text: reply(7, 0, NOW_S, Buffer.alloc(32, 8).toString('base64')), error: 'signature' },
    { name: 'another request before it', text: reply(7, 0, NOW_S, key.secret, Buffer.alloc(32)), error: 'signature' },
    { name: 'an old signature', text: reply(7, 0, NOW_S - 400), error: 'older' },
    { name: 'no signature', text: withAdditional(reply(7, 0).subarray(0, 12), 0), error: 'not signed' },
  ])('with $name is not', ({ text, error }) => {
    expect(() => verify(text, 7, key, asked.mac, NOW_S)).toThrow(error)
  })

  test('is not believed with any byte changed or cut off', () => {
    const whole = reply(7, 0)
    // names of key and algorithm are signed as this side knows them, not as they are sent
    const times = 12 + encodeName(key.name).length + 10 + encodeName(algorithm).length
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 1
      if (at < 12 || (at >= times && at < whole.length - 6))
        expect(() => verify(changed, 7, key, asked.mac, NOW_S), `byte ${at}`).toThrow()
      expect(() => verify(whole.subarray(0, at), 7, key, asked.mac, NOW_S), `cut at ${at}`).toThrow()
    }
  })
})
