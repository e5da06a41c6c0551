import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRedactor, REDACTED } from '../../../../daemon/upstream/redactor.ts'

const SECRET = 'sk-Ab/c+9"x\\y&z=(~1!)\'<34>567890'

const ENCODINGS: Readonly<Record<string, (secret: string) => string>> = {
  plain: (secret) => secret,
  bearer: (secret) => `Bearer ${secret}`,
  JSON: (secret) => JSON.stringify(secret),
  'JSON in JSON': (secret) => JSON.stringify(JSON.stringify({ authorization: secret })),
  'JSON with escaped slashes': (secret) => JSON.stringify(secret).replaceAll('/', '\\/'),
  'JSON of .NET': (secret) =>
    JSON.stringify(secret)
      .replaceAll('\\"', '\\u0022')
      .replace(/[<>&'+`]/g, (c) => `\\u00${c.charCodeAt(0).toString(16).toUpperCase()}`),
  'JSON of Go': (secret) => JSON.stringify(secret).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
  'JSON with every character escaped': (secret) =>
    Array.from(secret, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'JSON with one letter escaped, in JSON': (secret) =>
    Array.from(secret, (c, at) =>
      at === 2
        ? `\\\\u00${c.charCodeAt(0).toString(16).toUpperCase()}`
        : JSON.stringify(JSON.stringify(c)).slice(3, -3),
    ).join(''),
  'percent, upper case': (secret) => encodeURIComponent(secret),
  'percent, lower case': (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  'percent, as Python does': (secret) => strictPercent(secret).replaceAll('%2F', '/').replaceAll('%7E', '~'),
  'percent, as RFC 3986 asks': (secret) => strictPercent(secret).replaceAll('%7E', '~'),
  'percent, all that is no letter or digit': (secret) => strictPercent(secret),
  'HTML of Python': (secret) => inHtml(secret).replaceAll('"', '&quot;').replaceAll("'", '&#x27;'),
  'HTML of Go': (secret) => inHtml(secret).replaceAll('"', '&#34;').replaceAll("'", '&#39;'),
  'HTML of PHP': (secret) => inHtml(secret).replaceAll('"', '&quot;').replaceAll("'", '&#039;'),
  'HTML without quotes': inHtml,
  hex: (secret) => Buffer.from(secret).toString('hex'),
  'hex, upper case': (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
  base64: (secret) => Buffer.from(secret).toString('base64'),
  'base64 of a header': (secret) => Buffer.from(`Bearer ${secret}\r\n`).toString('base64'),
  'base64 of user and password': (secret) => Buffer.from(`me:${secret}`).toString('base64'),
  base64url: (secret) => Buffer.from(`x${secret}y`).toString('base64url'),
}

function strictPercent(secret: string): string {
  return encodeURIComponent(secret).replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function inHtml(secret: string): string {
  return secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

test.each(Object.entries(ENCODINGS))('A3: a secret is found in %s, wherever chunks are cut', (_, encode) => {
  const redactor = createRedactor(SECRET)
  const spelled = encode(SECRET)
  const whole = Buffer.from(`{"error":{"message":"é ${spelled} was refused"}}`)
  for (let first = 0; first <= whole.length; first += 1) {
    for (const second of [first, Math.min(first + 3, whole.length), whole.length]) {
      const body = redactor?.body()
      const pieces = [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)]
      const out = pieces.map((piece) => body?.feed(piece).toString('latin1')).join('') + body?.end().toString('latin1')
      expect(out).toContain(REDACTED)
      expect(out).not.toContain(spelled)
      expect(Buffer.from(out, 'latin1').toString()).toMatch(/^\{"error":\{"message":"é .*was refused"\}\}$/)
    }
  }
})

test('A3: no encoding of any secret is left, in chunks of any size', () => {
  const key = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c)),
    minLength: 16,
    maxLength: 60,
  })
  const spelling = fc.constantFrom(...Object.values(ENCODINGS))
  fc.assert(
    fc.property(key, spelling, fc.array(fc.integer({ min: 1, max: 40 })), (secret, encode, sizes) => {
      const body = createRedactor(secret)?.body()
      if (body === undefined) return
      let rest = Buffer.from(`a${encode(secret)}b${encode(secret)}c`)
      let out = ''
      for (const size of sizes) {
        out += body.feed(rest.subarray(0, size)).toString('latin1')
        rest = rest.subarray(size)
      }
      out += body.feed(rest).toString('latin1') + body.end().toString('latin1')
      for (const spell of Object.values(ENCODINGS)) expect(out).not.toContain(spell(secret))
    }),
  )
})

test('what holds no secret passes at once, byte for byte', () => {
  const body = createRedactor(SECRET)?.body()
  for (const text of ['data: {"a":1}\n\n', 'data: [DONE]\n\n', '{}', '']) {
    const chunk = Buffer.from(text)
    expect(body?.feed(chunk)).toBe(chunk)
  }
  expect(body?.end().length).toBe(0)
})

test.each([undefined, '', 'none', 'ollama', 'lm-studio'])('%s is no secret to keep', (key) => {
  expect(createRedactor(key)).toBe(null)
})

test('headers lose it, too', () => {
  const redactor = createRedactor(SECRET)
  const plain = { a: '1', b: ['2'] }
  expect(redactor?.headers(plain)).toBe(plain)
  expect(redactor?.headers({ 'x-debug': `Bearer ${SECRET}`, all: [SECRET, 'x'], none: undefined })).toEqual({
    'x-debug': `Bearer ${REDACTED}`,
    all: [REDACTED, 'x'],
    none: undefined,
  })
})
