import { createCipheriv, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seal, unseal } from '../../../store/sealed/sealed.ts'
import { keyringOf } from '../../support/keyring.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const KEY = { id: '0123456789abcdef', bytes: Buffer.alloc(32, 7) }
const PASSPHRASE = 'correct horse battery staple'
let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory()
})
afterEach(() => place.remove())

test('what is sealed opens in its place with its key, and nowhere else', () => {
  const sealed = seal(KEY, ['response', 'k1', 'r1'], 'näh')
  expect(unseal(KEY.bytes, ['response', 'k1', 'r1'], sealed)).toBe('näh')
  expect(unseal(KEY.bytes, ['response', 'k2', 'r1'], sealed)).toBeNull()
  expect(unseal(KEY.bytes, ['response', 'k1r', '1'], sealed)).toBeNull()
  expect(unseal(Buffer.alloc(32, 8), ['response', 'k1', 'r1'], sealed)).toBeNull()
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(unseal(KEY.bytes, ['response', 'k1', 'r1'], changed), `byte ${at}`).toBeNull()
    expect(unseal(KEY.bytes, ['response', 'k1', 'r1'], sealed.subarray(0, at)), `cut at ${at}`).toBeNull()
  }
})

test('two of the same text are not alike', () => {
  expect(seal(KEY, ['t', 'r'], 'x').equals(seal(KEY, ['t', 'r'], 'x'))).toBe(false)
})

test('a keyring is made once, and read again', () => {
  const sealed = keyringOf(place.path).seal(['idp', '1'], 'secret')
  for (const name of ['keyring.json', 'sealing.key']) expect(statSync(place.file(name)).mode & 0o777).toBe(0o600)
  expect(keyringOf(place.path).unseal(['idp', '1'], sealed)).toBe('secret')
  expect(keyringOf(place.path).unseal(['idp', '2'], sealed)).toBeNull()
  expect(keyringOf(place.path).master()).toBe('file')
})

test.each([
  { name: 'hexadecimal digits', configured: 'ab'.repeat(32) },
  { name: 'base64', configured: Buffer.alloc(32, 3).toString('base64') },
  { name: 'a passphrase', configured: PASSPHRASE },
])('a keyring opens with secrets.encryption_key as $name, and not without', ({ configured }) => {
  const sealed = keyringOf(place.path, { configured }).seal(['idp', '1'], 'secret')
  expect(existsSync(place.file('sealing.key'))).toBe(false)
  expect(keyringOf(place.path, { configured }).unseal(['idp', '1'], sealed)).toBe('secret')
  expect(() => keyringOf(place.path).unseal(['idp', '1'], sealed)).toThrow('there is none')
  expect(() => keyringOf(place.path, { configured: `${PASSPHRASE}!` }).keys()).toThrow('tried: configuration')
  expect(readFileSync(place.file('keyring.json'), 'utf8')).not.toContain(configured)
})

test('a stronger master key takes over, and the file of the one before goes', () => {
  const sealed = keyringOf(place.path).seal(['idp', '1'], 'secret')
  const configured = PASSPHRASE
  expect(keyringOf(place.path, { configured }).unseal(['idp', '1'], sealed)).toBe('secret')
  expect(existsSync(place.file('sealing.key'))).toBe(false)
  const next = { configured: 'another passphrase', previous: configured }
  expect(keyringOf(place.path, next).unseal(['idp', '1'], sealed)).toBe('secret')
  expect(keyringOf(place.path, { configured: next.configured }).unseal(['idp', '1'], sealed)).toBe('secret')
  const credentials = temporaryDirectory()
  credentials.write('sealing.key', `${'cd'.repeat(32)}\n`)
  const byCredential = { credentialsDirectory: credentials.path }
  expect(keyringOf(place.path, { ...byCredential, ...next }).unseal(['idp', '1'], sealed)).toBe('secret')
  expect(keyringOf(place.path, byCredential).master()).toBe('credential')
  credentials.remove()
})

test('what the version before sealed opens, and is not current', () => {
  place.write('sealing.key', KEY.bytes.toString('hex'))
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', KEY.bytes, nonce).setAAD(Buffer.from(JSON.stringify(['response', 'k'])))
  const text = Buffer.concat([cipher.update('old'), cipher.final()])
  const sealed = Buffer.concat([Buffer.of(1), nonce, cipher.getAuthTag(), text])
  const keyring = keyringOf(place.path)
  expect(keyring.unseal(['response', 'k'], sealed)).toBe('old')
  expect(keyring.isCurrent(sealed)).toBe(false)
  keyring.retire()
  expect(keyringOf(place.path).unseal(['response', 'k'], sealed)).toBeNull()
})

test('keys before a rotation open until they are retired', () => {
  const keyring = keyringOf(place.path)
  const before = keyring.seal(['t', 'r'], 'x')
  keyring.rotate()
  const after = keyring.seal(['t', 'r'], 'y')
  expect([keyring.isCurrent(before), keyring.isCurrent(after)]).toEqual([false, true])
  const again = keyringOf(place.path)
  expect([again.unseal(['t', 'r'], before), again.unseal(['t', 'r'], after)]).toEqual(['x', 'y'])
  expect(again.keys()).toHaveLength(2)
  again.retire()
  expect([again.unseal(['t', 'r'], before), again.unseal(['t', 'r'], after)]).toEqual([null, 'y'])
})

test.each(['', '{}', '{"version":1,"salt":"00","keys":[]}', 'null'])(
  'a damaged keyring is said and kept: %s',
  (text) => {
    place.write('keyring.json', text)
    expect(() => keyringOf(place.path).keys()).toThrow('restore it from a backup')
    expect(readFileSync(place.file('keyring.json'), 'utf8')).toBe(text)
  },
)

test('a keyring that cannot be opened is tried again a second later', () => {
  let clockMs = 0
  place.write('sealing.key', 'short')
  const keyring = keyringOf(place.path, {}, () => clockMs)
  expect(() => keyring.currentId()).toThrow('64 hexadecimal digits')
  rmSync(place.file('sealing.key'))
  expect(() => keyring.currentId()).toThrow('64 hexadecimal digits')
  clockMs = 1_000
  expect(keyring.currentId()).toMatch(/^[0-9a-f]{16}$/)
})
