import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { problemLine } from '../../../config/problems.ts'
import { configSchema } from '../../../schemas/config/config.ts'
import { keyTree, leaves } from '../../../schemas/config/keys.ts'
import { camelCase, environmentName, snakeCase } from '../../../schemas/words/key-names.ts'
import { configPlace, refusal } from '../../support/config-place.ts'

const custom = '[upstreams.NAME]\nprovider = "custom"\nbase_url = "http://127.0.0.1:9/v1"\n'

test('reads the names of the seeds', () => {
  const config = configPlace({
    env: {
      GATE_AUTH__JWT__SECRET: 'your-secret-here',
      GATE_UPSTREAMS__OPENAI__API_KEY: 'sk-...',
      GATE_LETSENCRYPT__EMAIL: 'admin@example.com',
    },
  })
    .open()
    .current()
  expect(config.auth.jwt.secret).toBe('your-secret-here')
  expect(config.upstreams['openai']).toMatchObject({ provider: 'openai', api_key: 'sk-...' })
  expect(config.letsencrypt.email).toBe('admin@example.com')
})

test.each([
  { name: 'a number', env: { GATE_SERVER__PORT: '4000' }, path: { server: { port: 4000 } } },
  {
    name: 'a number with a point',
    env: { GATE_AUTH__JWT__EXPIRATION_HOURS: '0.5' },
    path: { auth: { jwt: { expiration_hours: 0.5 } } },
  },
  { name: 'a boolean', env: { GATE_DISCOVERY__ENABLED: 'false' }, path: { discovery: { enabled: false } } },
  { name: 'a boolean as digit', env: { GATE_RELAY__ENABLE: '1' }, path: { relay: { enable: true } } },
  {
    name: 'a JSON list',
    env: { GATE_SERVER__ALLOW_FROM: '["10.0.0.0/8", "::1"]' },
    path: { server: { allow_from: ['10.0.0.0/8', '::1'] } },
  },
  {
    name: 'a list between commas',
    env: { GATE_SERVER__ALLOW_FROM: '10.0.0.0/8, ::1' },
    path: { server: { allow_from: ['10.0.0.0/8', '::1'] } },
  },
  { name: 'an empty list', env: { GATE_SERVER__ALLOW_FROM: '[]' }, path: { server: { allow_from: [] } } },
  {
    name: 'a list of tables',
    env: { GATE_MODELS__FAST__TARGETS: '[{"upstream":"echo"}]' },
    path: { models: { fast: { targets: [{ upstream: 'echo', weight: 1 }] } } },
  },
  {
    name: 'a text that looks like a number',
    env: { GATE_LETSENCRYPT__DOMAINS: '["1"]', GATE_AUTH__TOKEN: '1234567890123456' },
    path: { auth: { token: '1234567890123456' } },
  },
  {
    name: 'a whole table',
    env: { GATE_UPSTREAMS__BOX: '{"provider":"ollama","timeout":"1s"}', GATE_UPSTREAMS__BOX__TIMEOUT: '2s' },
    path: { upstreams: { box: { provider: 'ollama', timeout: '2s' } } },
  },
  { name: 'a table at the top', env: { GATE_LOG: '{"level":"debug"}' }, path: { log: { level: 'debug' } } },
])('reads $name by the type of its key', ({ env, path }) => {
  expect(configPlace({ env }).open().current()).toMatchObject(path)
})

const box = { provider: 'custom', baseUrl: 'http://127.0.0.1:9/v1' }
test.each([
  { name: 'that exists', declared: { 'my-box': box }, segment: 'MY_BOX', entry: 'my-box' },
  { name: 'that exists with an underscore', declared: { my_box: box }, segment: 'MY_BOX', entry: 'my_box' },
  { name: 'of a provider', declared: {}, segment: 'LLAMA_CPP', entry: 'llama-cpp' },
])('a name with "-" is reached by "_": one $name', ({ declared, segment, entry }) => {
  const env = { [`GATE_UPSTREAMS__${segment}__API_KEY`]: 'k' }
  const config = configPlace({ env, declared: { upstreams: declared } }).open()
  expect(config.current().upstreams[entry]?.api_key).toBe('k')
  expect(Object.keys(config.current().upstreams).sort()).toEqual(['echo', entry].sort())
})

test('two names that are one in the environment are refused', () => {
  const place = configPlace({ declared: { upstreams: { 'a-b': { provider: 'ollama' }, a_b: { provider: 'ollama' } } } })
  expect(refusal(() => place.open())).toMatchObject([
    { code: 'CONFLICTING_NAMES', layer: 'declared', key: 'upstreams.a_b' },
  ])
})

test('every key can be reached, and its name is its own', () => {
  const names = [...leaves(keyTree(configSchema))].map(([path]) =>
    environmentName(path.map((step) => (step === '*' ? 'a-b' : step))),
  )
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) {
    const place = configPlace({
      runtime: custom.replace('NAME', 'a-b'),
      env: { [name]: '\u0000', GATE_LOG__LEVEL: 'x' },
    })
    const problems = refusal(() => place.open())
    expect(problems.filter((problem) => problem.code === 'UNKNOWN_VARIABLE')).toEqual([])
  }
})

test.each([
  { name: 'GATE_UPSTREAM__OPENAI__API_KEY', near: 'GATE_UPSTREAMS__OPENAI__API_KEY' },
  { name: 'GATE_UPSTREAM__MY_OWN_BOX__API_KEY', near: 'GATE_UPSTREAMS__MY_OWN_BOX__API_KEY' },
  { name: 'GATE_UPSTREAMS__OPENAI__APIKEY', near: 'GATE_UPSTREAMS__OPENAI__API_KEY' },
  { name: 'GATE_UPSTREAMS__OPENAI_API_KEY', near: 'GATE_UPSTREAMS__OPENAI__API_KEY' },
  { name: 'GATE_OPENAI__API_KEY', near: 'GATE_UPSTREAMS__OPENAI__API_KEY' },
  { name: 'GATE_SERVER__PROT', near: 'GATE_SERVER__PORT' },
  { name: 'GATE_SERVER_PORT', near: 'GATE_SERVER__PORT' },
  { name: 'GATE_SERVER___PORT', near: 'GATE_SERVER__PORT' },
  { name: 'GATE_server__port', near: 'GATE_SERVER__PORT' },
  { name: 'GATE_SERVER__PORT__X', near: 'GATE_SERVER__PORT' },
  { name: 'GATE_AUTH__TOKEN_FIL', near: 'GATE_AUTH__TOKEN' },
  { name: 'GATE_ADMIN_SOKET', near: 'GATE_ADMIN_SOCKET' },
])('refuses to start with $name and names $near', ({ name, near }) => {
  const problems = refusal(() => configPlace({ env: { [name]: 'sk-canary' } }).open())
  expect(problems).toMatchObject([{ layer: 'env', where: name }])
  expect(problems.map(problemLine).join()).toContain(near)
  expect(problems.map(problemLine).join()).not.toContain('sk-canary')
})

test.each([
  { name: 'GATE_SERVER__PORT', key: 'server.port', value: 4000 },
  { name: 'GATE_SERVER__ALLOW_FROM', key: 'server.allow_from', value: ['10.0.0.0/8'] },
  { name: 'GATE_AUTH__TOKEN_FILE', key: 'auth.token', value: { secret: true } },
  { name: 'GATE_LOG', key: 'log.level', value: 'warn' },
  { name: 'GATE_MODELS', key: 'server.port', value: 4000 },
])('C3: an empty $name, as Compose gives it, is not set', ({ name, key, value }) => {
  const runtime =
    '[server]\nport = 4000\nallow_from = ["10.0.0.0/8"]\n[auth]\ntoken = "a-token-of-the-file"\n[log]\nlevel = "warn"\n'
  const config = configPlace({ runtime, env: { [name]: '' } }).open()
  expect(config.explain(key)).toMatchObject({ winner: 'runtime', value })
})

test('C3: an empty variable names no upstream either', () => {
  const config = configPlace({ env: { GATE_UPSTREAMS__OPENAI__API_KEY: '', GATE_UPSTREAMS__BOX__BASE_URL: '' } }).open()
  expect(Object.keys(config.current().upstreams)).toEqual(['echo'])
})

test('C3: an empty variable of an unknown name is still a mistake', () => {
  expect(refusal(() => configPlace({ env: { GATE_SERVER__PROT: '' } }).open())).toMatchObject([
    { code: 'UNKNOWN_VARIABLE', where: 'GATE_SERVER__PROT' },
  ])
})

test('refuses an unknown name with levels even when nothing is near it', () => {
  expect(refusal(() => configPlace({ env: { GATE_ZZZ__QQQQQQ: '1' } }).open())).toMatchObject([
    { code: 'UNKNOWN_VARIABLE', where: 'GATE_ZZZ__QQQQQQ' },
  ])
})

test('leaves names alone that are no configuration', () => {
  const env = {
    GATE_ADMIN_SOCKET: '/x',
    GATE_KEEPER_COLOUR: 'red',
    GATE_SERVICE_HOST: '10.0.0.1',
    GATE_SERVICE_PORT: '3000',
    GATE_PORT: 'tcp://10.0.0.1:3000',
    GATE_PORT_3000_TCP_ADDR: '10.0.0.1',
    GATEWAY__PORT: '1',
    PATH: '/bin',
  }
  expect(configPlace({ env }).open().problems()).toEqual([])
})

test.each([
  { env: { GATE_SERVER__PORT: 'many' }, code: 'WRONG_TYPE' },
  { env: { GATE_SERVER__PORT: '70000' }, code: 'INVALID_VALUE' },
  { env: { GATE_DISCOVERY__ENABLED: 'maybe' }, code: 'WRONG_TYPE' },
  { env: { GATE_DISCOVERY__ENABLED: 'constructor' }, code: 'WRONG_TYPE' },
  { env: { GATE_SERVER__ALLOW_FROM: '["10.0.0.0/8"' }, code: 'WRONG_TYPE' },
  { env: { GATE_LOG: 'debug' }, code: 'WRONG_TYPE' },
  { env: { GATE_LOG__LEVEL: 'debg' }, code: 'INVALID_VALUE' },
  { env: { GATE_AUTH__JWT__SECRET: 'short' }, code: 'INVALID_VALUE' },
  { env: { GATE_UPSTREAMS__MY_BOX__API_KEY: 'k' }, code: 'MISSING_KEY' },
  { env: { GATE_UPSTREAMS__MY_BOX__PROVIDER: 'custom' }, code: 'MISSING_BASE_URL' },
  { env: { GATE_UPSTREAMS__OPENAI__BASE_URL: 'http://host:99999/v1' }, code: 'INVALID_VALUE' },
  { env: { GATE_AUTH__MODE: 'none', GATE_SERVER__HOST: '0.0.0.0' }, code: 'OPEN_TO_ALL' },
  { env: { GATE_UPSTREAMS__OPENAI__TIMEOUT: '30d' }, code: 'INVALID_VALUE' },
])('refuses to start with $env: $code', ({ env, code }) => {
  const problems = refusal(() => configPlace({ env }).open())
  expect(problems).toMatchObject([{ code, layer: 'env', where: expect.stringMatching(/^GATE_/) }])
})

test('collects all problems, not only the first', () => {
  const env = { GATE_SERVER__PROT: '1', GATE_SERVER__PORT: 'x', GATE_LOG__LEVEL: 'loud' }
  expect(
    refusal(() => configPlace({ env, declared: { log: { levl: 'info' } } }).open())
      .map((problem) => problem.code)
      .sort(),
  ).toEqual(['INVALID_VALUE', 'UNKNOWN_KEY', 'UNKNOWN_VARIABLE', 'WRONG_TYPE'])
})

test.each([
  { name: 'no line break', text: 'sk-file', value: 'sk-file' },
  { name: 'one line break', text: 'sk-file\n', value: 'sk-file' },
  { name: 'a Windows line break', text: 'sk-file\r\n', value: 'sk-file' },
])('reads a value from the file that _FILE names: $name', ({ text, value }) => {
  const place = configPlace()
  place.write('key', text)
  const config = place.open({ GATE_UPSTREAMS__OPENAI__API_KEY_FILE: join(place.folder, 'key') })
  expect(config.current().upstreams['openai']?.api_key).toBe(value)
  expect(config.explain('upstreams.openai.api_key')).toMatchObject({ winner: 'env', value: { secret: true } })
})

test('only one line break is stripped', () => {
  const place = configPlace()
  place.write('key', 'sk-canary\n\n')
  const problems = refusal(() => place.open({ GATE_UPSTREAMS__OPENAI__API_KEY_FILE: join(place.folder, 'key') }))
  expect(problems).toMatchObject([{ code: 'INVALID_VALUE' }])
  expect(JSON.stringify(problems)).not.toContain('sk-canary')
})

test('refuses a file that cannot be read, and a key that is set twice', () => {
  const place = configPlace()
  expect(refusal(() => place.open({ GATE_AUTH__TOKEN_FILE: '/nowhere/token' }))).toMatchObject([
    { code: 'UNREADABLE_FILE', where: 'GATE_AUTH__TOKEN_FILE (/nowhere/token)' },
  ])
  place.write('token', '1234567890123456')
  const both = { GATE_AUTH__TOKEN: '1234567890123456', GATE_AUTH__TOKEN_FILE: join(place.folder, 'token') }
  expect(refusal(() => place.open(both))).toMatchObject([{ code: 'SET_TWICE', key: 'auth.token' }])
})

test('reads credentials that are named like keys and leaves the others alone', () => {
  const place = configPlace({
    credentials: {
      'upstreams.llama-cpp.api_key': 'k1\n',
      'auth.token': '1234567890123456',
      'certificate.key': 'x',
      database: 'y',
    },
  })
  const config = place.open()
  expect(config.current().upstreams['llama-cpp']?.api_key).toBe('k1')
  expect(config.current().auth.token).toBe('1234567890123456')
  expect(config.explain('auth.token').layers[0]).toEqual({
    layer: 'env',
    set: true,
    value: { secret: true },
    source: `credential ${join(place.folder, 'credentials/auth.token')}`,
  })
})

test.each([
  {
    credentials: { 'upstreams.openai.apikey': 'x' },
    code: 'UNKNOWN_KEY',
    hint: 'did you mean upstreams.openai.api_key?',
  },
  { credentials: { 'auth.jwt.secret': 'short' }, code: 'INVALID_VALUE' },
])('refuses a credential that is wrong: $code', ({ credentials, code, hint }) => {
  const problems = refusal(() => configPlace({ credentials }).open())
  expect(problems).toMatchObject([
    { code, layer: 'env', where: expect.stringContaining('credential '), ...(hint ? { hint } : {}) },
  ])
})

test('refuses a folder of credentials that cannot be read', () => {
  const place = configPlace({ credentials: {} })
  mkdirSync(join(place.folder, 'credentials/auth.token'), { recursive: true })
  expect(refusal(() => place.open())).toMatchObject([{ code: 'UNREADABLE_FILE' }])
})

test('a changed secret file is read again on reload; a lost one leaves all as it was', async () => {
  const place = configPlace()
  const env = { GATE_UPSTREAMS__OPENAI__API_KEY_FILE: join(place.folder, 'key') }
  place.write('key', 'one')
  const config = place.open(env)
  place.write('key', 'two')
  expect(await config.reload()).toMatchObject({ changed: ['upstreams.openai.api_key'], restart: [] })
  expect(config.current().upstreams['openai']?.api_key).toBe('two')
  place.remove('key')
  expect(await config.reload()).toMatchObject({ changed: [], problems: [{ code: 'UNREADABLE_FILE' }] })
  expect(config.current().upstreams['openai']?.api_key).toBe('two')
  expect(config.problems()).toHaveLength(1)
})

test('the Nix spelling of a key can be undone', () => {
  const words = fc.array(fc.stringMatching(/^[a-z0-9]{1,5}$/), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(words, (parts) => {
      const key = `k${parts.join('_')}`
      expect(snakeCase(camelCase(key))).toBe(key)
      expect(camelCase(snakeCase(camelCase(key)))).toBe(camelCase(key))
    }),
  )
  expect(camelCase('p2p_port')).toBe('p2pPort')
  expect(snakeCase('customDomain')).toBe('custom_domain')
})
