import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAccount } from '../../../../daemon/certificates/account.ts'
import { openCertificateStore } from '../../../../daemon/certificates/kept.ts'
import type { AcmeSettings } from '../../../../daemon/certificates/settings.ts'
import type { AcmeClient } from '../../../../pki/acme/client.ts'
import type { Log } from '../../../../schemas/words/log.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const DIRECTORY = 'https://ca.example/directory'
const ACCOUNT = 'https://ca.example/account/1'
let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory()
})
afterEach(() => place.remove())

const newKey = async () =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

test('an answer that is lost makes no second account, also after a start', async () => {
  const keys: string[] = []
  let isLost = true
  const open = (key: string) => {
    const register = async () => {
      keys.push(key)
      if (isLost) throw new Error('ECONNRESET')
      return ACCOUNT
    }
    return { register } as Partial<AcmeClient> as AcmeClient
  }
  const start = () => {
    const settings = { directory: DIRECTORY } as AcmeSettings
    return createAccount(settings, openCertificateStore(place.path), () => {})
  }
  const first = start()
  await expect(first.use(open, newKey, async () => {})).rejects.toThrow('ECONNRESET')
  expect(first.status()).toBeUndefined()
  await expect(first.use(open, newKey, async () => {})).rejects.toThrow('ECONNRESET')
  isLost = false
  const second = start()
  await second.use(open, newKey, async () => {})
  expect(keys).toEqual(Array(3).fill(keys[0]))
  expect(openCertificateStore(place.path).loadAccount()).toMatchObject({ key: keys[0], url: ACCOUNT })
})

test.each([20, 100])('a key that was cut off after %i characters is replaced, and registered', async (length) => {
  const key = await newKey()
  openCertificateStore(place.path).saveAccount({ key, directory: DIRECTORY, url: ACCOUNT, email: '' })
  place.write('tls/acme/account.key', key.slice(0, length))
  const used: (string | undefined)[] = []
  const open = (_key: string, url: string | undefined) => {
    used.push(url)
    return { register: async () => `${ACCOUNT}1` } as Partial<AcmeClient> as AcmeClient
  }
  const settings = { directory: DIRECTORY } as AcmeSettings
  const errors: unknown[] = []
  const log: Log = (level, _, fields) => void (level === 'error' && errors.push(fields?.error))
  await createAccount(settings, openCertificateStore(place.path), log).use(open, newKey, async () => {})
  expect(errors).toEqual([`${place.file('tls/acme/account.key')} is not a private key in PEM`])
  expect(used).toEqual([undefined])
  expect(openCertificateStore(place.path).loadAccount()).toMatchObject({ url: `${ACCOUNT}1` })
})
