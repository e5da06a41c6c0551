import { expect, test } from 'vitest'
import { masterTexts } from '../../../config/sealed-values.ts'
import { configPlace, refusal } from '../../support/config-place.ts'

const KEY = 'sk-upstream-canary-0123456789'
const upstream = (key: string) =>
  `[upstreams.own]\nprovider = "custom"\nbase_url = "http://127.0.0.1:9/v1"\napi_key = "${key}"\n`

test('a secret that is set is sealed in the file, used, and never shown', async () => {
  const place = configPlace({ runtime: upstream('sk-written-by-hand') })
  const config = place.open()
  await config.set('upstreams.own.api_key', KEY, { force: false })
  expect(place.read()).toMatch(/api_key = "sealed:[A-Za-z0-9+/=]+"/)
  expect([place.read(), place.read('config.toml.last-good')].join()).not.toContain(KEY)
  expect(config.current().upstreams['own']?.api_key).toBe(KEY)
  expect(place.open().current().upstreams['own']?.api_key).toBe(KEY)
  const shown = [config.explain('upstreams.own.api_key'), config.list(), config.diff(), config.promote('spec')]
  expect(JSON.stringify(shown)).not.toMatch(/sk-upstream|sealed:/)
})

test('a whole table has its secrets sealed, and names of variables stay', async () => {
  const place = configPlace({ env: { MY_KEY: 'sk-of-a-variable' } })
  const config = place.open()
  const own = { provider: 'custom', base_url: 'http://127.0.0.1:9/v1', api_key: KEY }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the form that config.toml has
  await config.set('upstreams', { own, other: { ...own, api_key: '${MY_KEY}' } }, { force: false })
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the form that config.toml has
  expect(place.read()).toContain('${MY_KEY}')
  expect(place.read()).not.toContain(KEY)
  expect(config.current().upstreams['other']?.api_key).toBe('sk-of-a-variable')
})

test('a sealed key that is moved to another upstream does not open, and that upstream is not used', async () => {
  const place = configPlace({ runtime: upstream('sk-written-by-hand') })
  await place.open().set('upstreams.own.api_key', KEY, { force: false })
  place.write('config.toml', `${place.read()?.replace('upstreams.own', 'upstreams.mine')}# edited\n`)
  place.remove('config.toml.last-good')
  const config = place.open()
  expect(config.problems()).toMatchObject([{ code: 'SEALED_ELSEWHERE', key: 'upstreams.mine.api_key' }])
  expect(config.current().upstreams['mine']).toBeUndefined()
  expect(place.lines.map(({ message }) => message)).toContain('configuration problem')
})

test('what is written by hand, or sealed with a key before, is sealed anew', async () => {
  const place = configPlace({ runtime: upstream(KEY) })
  const config = place.open()
  await config.sealSecrets()
  const first = place.read() ?? ''
  expect(first).toContain('sealed:')
  await config.sealSecrets()
  expect(place.read()).toBe(first)
  place.keyring().rotate()
  const later = place.open()
  await later.sealSecrets()
  expect(place.read()).not.toBe(first)
  place.keyring().retire()
  expect(place.open().current().upstreams['own']?.api_key).toBe(KEY)
})

test('what opens the keyring is never read from config.toml', async () => {
  const place = configPlace({ runtime: '[secrets]\nencryption_key = "a passphrase in the wrong place"\n' })
  expect(place.open().problems()).toMatchObject([{ code: 'SEALED_ELSEWHERE', key: 'secrets.encryption_key' }])
  const set = () => place.open().set('secrets.encryption_key', 'x'.repeat(20), { force: true })
  await expect(set()).rejects.toThrow('opens what is sealed')
})

test.each([
  { name: 'the seed', env: { DB_ENCRYPTION_KEY: 'a passphrase of words' } },
  { name: 'the seed with GATE_', env: { GATE_DB_ENCRYPTION_KEY: 'a passphrase of words' } },
  { name: 'the key', env: { GATE_SECRETS__ENCRYPTION_KEY: 'a passphrase of words' } },
])('the master key comes by the variable of $name', ({ env }) => {
  expect(masterTexts({ env, credentialsDirectory: undefined }).configured).toBe('a passphrase of words')
  expect(configPlace({ env }).open().current().secrets.encryption_key).toBe('a passphrase of words')
})

test('a short master key is refused, whatever variable has it', () => {
  expect(refusal(() => configPlace({ env: { DB_ENCRYPTION_KEY: 'short' } }).open())).toMatchObject([
    { code: 'INVALID_VALUE', key: 'secrets.encryption_key' },
  ])
})
