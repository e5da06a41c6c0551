import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Meta, openCertificateStore } from '../../../../daemon/certificates/kept.ts'
import { makeIdentity } from '../../../support/identities.ts'
import { hasProgram } from '../../../support/programs.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const NAME = 'ai.example.org'
const META: Meta = {
  origin: 'ca ecdsa',
  failures: 2,
  retryAtMs: 5,
  leftAloneUntilMs: 0,
  lastError: { atMs: 4, message: 'x' },
}

describe.skipIf(!hasProgram('openssl'))('kept certificates (needs openssl)', () => {
  const [old, next] = hasProgram('openssl') ? [makeIdentity([NAME]), makeIdentity([NAME])] : []
  const pairOf = (identity: typeof old) => ({ cert: identity?.cert ?? '', key: identity?.key ?? '' })
  let place: ReturnType<typeof temporaryDirectory>
  beforeEach(() => {
    place = temporaryDirectory()
  })
  afterEach(() => place.remove())
  const file = (name: string) => join(place.path, 'tls/certificates', NAME, name)
  const store = () => openCertificateStore(place.path)

  test('come back as they were saved, readable by the account alone', () => {
    store().save(NAME, pairOf(old), META)
    expect(store().load(NAME)).toEqual({ pair: pairOf(old), meta: META })
    expect(['cert.pem', 'key.pem', 'meta.json'].map((name) => statSync(file(name)).mode & 0o777)).toEqual(
      Array(3).fill(0o600),
    )
    expect(statSync(dirname(file('x'))).mode & 0o777).toBe(0o700)
  })

  test('an error at a time that is none is forgotten', () => {
    store().save(NAME, pairOf(old), { ...META, lastError: { atMs: 1e300, message: 'x' } })
    expect(store().load(NAME).meta).not.toHaveProperty('lastError')
  })

  test('a save without a pair changes what is known of it alone', () => {
    store().save(NAME, pairOf(old), META)
    store().save(NAME, undefined, { ...META, failures: 3 })
    expect(store().load(NAME)).toEqual({ pair: pairOf(old), meta: { ...META, failures: 3 } })
  })

  test('a kill after the new key is finished at the next start', () => {
    store().save(NAME, pairOf(old), META)
    writeFileSync(file('key.pem'), pairOf(next).key)
    writeFileSync(file('.cert.pem.new'), pairOf(next).cert)
    expect(store().load(NAME).pair).toEqual(pairOf(next))
    expect(readFileSync(file('cert.pem'), 'utf8')).toBe(pairOf(next).cert)
  })

  test.each([
    {
      name: 'a key of another certificate',
      damage: () => writeFileSync(file('key.pem'), pairOf(next).key),
      wrong: /key\.pem is not the private key of .*cert\.pem$/,
    },
    {
      name: 'half a certificate',
      damage: () => writeFileSync(file('cert.pem'), pairOf(old).cert.slice(0, 200)),
      wrong: /cert\.pem is not a certificate in PEM$/,
    },
    {
      name: 'an empty key',
      damage: () => writeFileSync(file('key.pem'), ''),
      wrong: /key\.pem is not the private key/,
    },
    { name: 'no key', damage: () => rmSync(file('key.pem')), wrong: /key\.pem cannot be read$/ },
    {
      name: 'a directory in place of the key',
      damage: () => toDirectory(file('key.pem')),
      wrong: /key\.pem cannot be read$/,
    },
  ])('$name counts as none, and is named', ({ damage, wrong }) => {
    store().save(NAME, pairOf(old), META)
    damage()
    expect(store().load(NAME)).toEqual({ pair: undefined, meta: META, damage: expect.stringMatching(wrong) })
  })

  test.each(['', '{', '[]', 'null', '{"origin":1}', '\0'])('%j is not known of anything', (text) => {
    store().save(NAME, pairOf(old), META)
    writeFileSync(file('meta.json'), text)
    expect(store().load(NAME)).toEqual({ pair: pairOf(old), meta: undefined })
  })

  test('a wildcard has a folder of its own', () => {
    store().save(`*.${NAME}`, pairOf(old), META)
    expect(store().path(`*.${NAME}`)).toBe(join(place.path, `tls/certificates/_wildcard.${NAME}/cert.pem`))
    expect(store().load(NAME).pair).toBeUndefined()
  })

  test('an account comes back, or the part of it that is whole', () => {
    const account = {
      key: pairOf(old).key,
      directory: 'https://ca.example/dir',
      url: 'https://ca.example/1',
      email: '',
    }
    store().saveAccount(account)
    expect(store().loadAccount()).toEqual(account)
    renameSync(join(place.path, 'tls/acme/account.json'), join(place.path, 'gone'))
    expect(store().loadAccount()).toEqual({ key: account.key })
  })
})

function toDirectory(path: string): void {
  rmSync(path)
  mkdirSync(path)
}
