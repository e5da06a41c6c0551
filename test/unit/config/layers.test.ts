import { expect, test } from 'vitest'
import { checkFile } from '../../../config/file-check.ts'
import { configPlace, refusal } from '../../support/config-place.ts'

const everyLayer = {
  env: { GATE_SERVER__PORT: '1' },
  runtime: '[server]\nport = 2\nhost = "127.0.0.2"\n',
  declared: { server: { port: 3, host: '127.0.0.3', p2pPort: 33 } },
}

test('resolves every key by itself: env over runtime over nix over defaults', () => {
  const { server } = configPlace(everyLayer).open().current()
  expect(server).toMatchObject({ port: 1, host: '127.0.0.2', p2p_port: 33, max_body: '32MiB' })
})

test('explains a key at all four layers, with where each was written', () => {
  const place = configPlace(everyLayer)
  expect(place.open().explain('server.port')).toEqual({
    key: 'server.port',
    value: 1,
    waiting: false,
    winner: 'env',
    layers: [
      { layer: 'env', set: true, value: 1, source: 'GATE_SERVER__PORT' },
      { layer: 'runtime', set: true, value: 2, source: `${place.file}:2:1` },
      { layer: 'declared', set: true, value: 3, source: place.declaredFile },
      { layer: 'defaults', set: true, value: 3000, source: 'built in' },
    ],
    description: 'TCP port; 0 takes any free one.',
    restart: true,
  })
})

test('starts on built-in defaults when no layer exists', () => {
  const config = configPlace().open()
  expect(config.current()).toMatchObject({
    server: { host: '127.0.0.1', port: 3000 },
    auth: { mode: 'token', jwt: { issuer: 'gate' } },
    upstreams: { echo: { enabled: true, provider: 'echo', timeout: '600s' } },
  })
  expect(config.problems()).toEqual([])
})

test.each([
  {
    name: 'objects merge',
    above: '[log]\nlevel = "debug"\n',
    declared: { log: { format: 'json' } },
    log: { level: 'debug', format: 'json' },
  },
  {
    name: 'scalars replace',
    above: '[log]\nformat = "text"\n',
    declared: { log: { format: 'json' } },
    log: { level: 'info', format: 'text' },
  },
])('$name', ({ above, declared, log }) => {
  expect(configPlace({ runtime: above, declared }).open().current().log).toEqual(log)
})

test('lists replace each other', () => {
  const place = configPlace({
    runtime: '[server]\nallow_from = ["10.0.0.0/8"]\n',
    declared: { server: { allow_from: ['127.0.0.0/8', '::1'] } },
  })
  expect(place.open().current().server.allow_from).toEqual(['10.0.0.0/8'])
})

test('the entries of a map merge by name over all layers', () => {
  const place = configPlace({
    env: { GATE_UPSTREAMS__OPENAI__API_KEY: 'from-env' },
    runtime:
      '[upstreams.openai]\ntimeout = "5s"\n[upstreams.mine]\nprovider = "custom"\nbase_url = "http://127.0.0.1:9/v1"\n',
    declared: { upstreams: { openai: { provider: 'openai', models: ['a'] } } },
  })
  const { upstreams } = place.open().current()
  expect(Object.keys(upstreams).sort()).toEqual(['echo', 'mine', 'openai'])
  expect(upstreams['openai']).toMatchObject({ api_key: 'from-env', timeout: '5s', models: ['a'], provider: 'openai' })
})

test('an upstream called like a provider has that provider and its address', () => {
  const { upstreams } = configPlace({ env: { GATE_UPSTREAMS__OPENAI__API_KEY: 'k' } })
    .open()
    .current()
  expect(upstreams['openai']).toMatchObject({ provider: 'openai', base_url: 'https://api.openai.com/v1', api_key: 'k' })
})

test('a name such as "constructor" finds nothing in the maps', () => {
  expect(configPlace().open().current().upstreams['constructor']).toBeUndefined()
})

test('the configuration cannot be changed in place', () => {
  const config = configPlace({ runtime: '[server]\nallow_from = ["::1"]\n' }).open().current()
  expect(() => Object.assign(config.server, { port: 1 })).toThrow(TypeError)
  expect(() => Object.assign(config.server.allow_from, ['::'])).toThrow(TypeError)
})

test.each([
  { declared: '{ "server": { "port": ', code: 'INVALID_JSON' },
  { declared: '[]', code: 'INVALID_JSON' },
  { declared: { server: { prot: 1 } }, code: 'UNKNOWN_KEY', hint: 'did you mean server.port?' },
  { declared: { server: { port: 'x' } }, code: 'WRONG_TYPE' },
  { declared: { upstreams: { openai: { apiKey: 'sk-very-secret' } } }, code: 'DECLARED_SECRET' },
])('refuses to start with a declared file that is wrong: $code', ({ declared, code, hint }) => {
  const place = configPlace({ declared })
  const problems = refusal(() => place.open())
  expect(problems).toMatchObject([{ code, layer: 'declared', where: place.declaredFile, ...(hint ? { hint } : {}) }])
  expect(JSON.stringify(problems)).not.toContain('sk-very-secret')
})

test('reads the files again on reload and tells what changed', async () => {
  const place = configPlace({ runtime: '[log]\nlevel = "info"\n' })
  const config = place.open()
  const seen: unknown[] = []
  config.onChange(({ log }, changed) => seen.push([log.level, changed]))
  place.write('config.toml', '[log]\nlevel = "debug"\n[server]\nport = 4000\n')
  expect(await config.reload()).toEqual({
    changed: ['log.level', 'server.port'],
    restart: ['server.port'],
    shadowed: [],
    problems: [],
  })
  expect(seen).toEqual([['debug', ['log.level']]])
  expect(config.current().server.port).toBe(3000)
  expect(config.explain('server.port')).toMatchObject({ value: 4000, waiting: true })
})

test('C3: a byte order mark before the declared file, as some editors write it, is no part of it', () => {
  const declared = '\uFEFF{"log": {"level": "warn"}}'
  expect(configPlace({ declared }).open().current().log.level).toBe('warn')
  expect(checkFile('declared.json', declared)).toEqual([])
})

test.each([
  { text: 'server.max_body = 33554432', hint: 'write a number and a unit: B, KiB, MiB, GiB or TiB, such as "32MiB"' },
  { text: 'server.body_timeout = 60', hint: 'write a number and a unit: ms, s, m, h or d, such as "10s"' },
  { text: 'server.host = 1', hint: 'write an address such as "127.0.0.1", or a host name' },
  { text: 'server.allow_from = "10.0.0.0/8"', hint: 'write ["10.0.0.0/8"]' },
  { text: 'upstreams.echo.models = "a"', hint: 'write ["a"]' },
  { text: 'letsencrypt.email = true', hint: 'write an address such as name@example.org' },
])('C5: a value of another type says what to write: $text', ({ text, hint }) => {
  const config = configPlace({ runtime: `${text}\n` }).open()
  expect(config.problems()).toMatchObject([{ code: 'WRONG_TYPE', hint }])
})

test.each([
  { written: 'password', mode: 'password' },
  { written: 'token,password', mode: ['token', 'password'] },
  { written: '["oidc"]', mode: ['oidc'] },
])('a variable says one way to sign in, or several: $written', ({ written, mode }) => {
  expect(
    configPlace({ env: { GATE_AUTH__MODE: written } })
      .open()
      .current().auth.mode,
  ).toEqual(mode)
})

test('no other mode is beside "none"', () => {
  const place = configPlace({ env: { GATE_AUTH__MODE: 'none,token' } })
  const hint = '"none" lets every client in, so no other mode can be beside it'
  expect(refusal(() => place.open())).toMatchObject([{ code: 'INVALID_VALUE', key: 'auth.mode', hint }])
  expect(checkFile('declared.json', '{ "auth": { "mode": ["none", "token"] } }')).toMatchObject([{ hint }])
})

test('a file alone may lack secrets, which come as credentials, and nothing else', () => {
  const alerts = { ops: { kind: 'webhook' }, phone: { kind: 'ntfy', events: ['disk'] } }
  const check = (declared: object) => checkFile('declared.json', JSON.stringify(declared)).map(({ key }) => key)
  expect(check({ alerts })).toEqual([])
  expect(check({ alerts: { ops: {} } })).toEqual(['alerts.ops.kind'])
  const models = { m: { targets: [{ upstream: 'nowhere', model: 'y' }] } }
  expect(check({ alerts, models })).toEqual(['models.m.targets.0.upstream'])
})
