import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ConfigError, problemLine } from '../../../config/problems.ts'
import { configPlace } from '../../support/config-place.ts'

const soft = { force: false }

async function codesOf(work: Promise<unknown>): Promise<string[]> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof ConfigError) return error.problems.map((problem) => problem.code)
  throw error ?? new Error('it was not refused')
}

test('set writes the file with its comments, applies what it can and says what waits', async () => {
  const place = configPlace({ runtime: '# mine\n[log]\nlevel = "info" # quiet\n' })
  const config = place.open()
  expect(await config.set('log.level', 'debug', soft)).toEqual({
    changed: ['log.level'],
    restart: [],
    shadowed: [],
    problems: [],
  })
  expect(await config.set('server.port', 4000, soft)).toMatchObject({
    changed: ['server.port'],
    restart: ['server.port'],
  })
  expect(place.read()).toBe('# mine\n[log]\nlevel = "debug" # quiet\n\n[server]\nport = 4000\n')
  expect(place.read('config.toml.last-good')).toBe(place.read())
  expect(config.current()).toMatchObject({ log: { level: 'debug' }, server: { port: 3000 } })
  expect(place.open().current().server.port).toBe(4000)
  expect(statSync(place.file).mode & 0o777).toBe(0o600)
  expect(statSync(place.lastGood).mode & 0o777).toBe(0o600)
  expect(readdirSync(place.folder).sort()).toEqual(['config.toml', 'config.toml.last-good'])
})

test('a value that is there already changes neither the file nor the configuration', async () => {
  const place = configPlace({ runtime: '[log]\nlevel="debug"' })
  const config = place.open()
  const before = config.current()
  const { mtimeNs } = statSync(place.file, { bigint: true })
  expect(await config.set('log.level', 'debug', soft)).toMatchObject({ changed: [] })
  expect(statSync(place.file, { bigint: true }).mtimeNs).toBe(mtimeNs)
  expect(config.current()).toEqual(before)
})

test('unset uncovers the layer below', async () => {
  const place = configPlace({ declared: { log: { level: 'warn' } }, runtime: '[log]\nlevel = "debug"\n' })
  const config = place.open()
  expect(await config.unset('log.level')).toMatchObject({ changed: ['log.level'], shadowed: [] })
  expect(config.current().log.level).toBe('warn')
  expect(config.explain('log.level')).toMatchObject({ winner: 'declared' })
})

test('several keys of a table change at once, or none of them', async () => {
  const before = '[budgets.b] # mine\nlimit = "1 USD"\nwindow = "day"\nsoft = true\n'
  const place = configPlace({ runtime: before })
  const config = place.open()
  const refused = config.change(['budgets', 'b'], { limit: '5 USD', window: 'year' })
  expect(await codesOf(refused)).toEqual(['INVALID_VALUE'])
  expect(await codesOf(config.change(['budgets', 'b'], { limit: '5 USD', window: null }))).not.toEqual([])
  expect(place.read()).toBe(before)
  expect(config.current().budgets['b']).toMatchObject({ limit: '1 USD', window: 'day', soft: true })
  const { changed } = await config.change(['budgets', 'b'], { limit: '5 USD', window: 'hour', soft: null })
  expect([...changed].sort()).toEqual(['budgets.b.limit', 'budgets.b.soft', 'budgets.b.window'])
  expect(place.read()).toBe('[budgets.b] # mine\nlimit = "5 USD"\nwindow = "hour"\n')
  expect(config.current().budgets['b']).toMatchObject({ limit: '5 USD', window: 'hour', soft: false })
})

test('a whole entry can be set and unset', async () => {
  const place = configPlace()
  const config = place.open()
  await config.set('upstreams.mine', { provider: 'custom', base_url: 'http://127.0.0.1:9/v1', models: ['m'] }, soft)
  expect(config.current().upstreams['mine']).toMatchObject({ provider: 'custom', models: ['m'], timeout: '600s' })
  await config.set('models.fast', { targets: [{ upstream: 'mine', model: 'm' }] }, soft)
  expect(config.current().models['fast']?.targets).toEqual([{ upstream: 'mine', model: 'm', weight: 1 }])
  expect(await codesOf(config.unset('upstreams.mine'))).toEqual(['UNKNOWN_UPSTREAM'])
  await config.unset('models.fast')
  await config.unset('upstreams.mine')
  await config.set('backends.local', { provider: 'vllm', socket: '/run/x.sock', max_concurrent: 2 }, soft)
  expect(config.current().backends['local']).toMatchObject({ base_url: 'http://127.0.0.1:8000/v1', max_concurrent: 2 })
  await config.set('models.fast', { targets: [{ upstream: 'local', model: 'm' }] }, soft)
  expect(await codesOf(config.unset('backends.local'))).toEqual(['UNKNOWN_UPSTREAM'])
  await config.unset('models.fast')
  await config.unset('backends.local')
  expect(Object.keys(config.current().upstreams)).toEqual(['echo'])
})

test.each([
  { name: 'an unknown key', key: 'server.prot', value: 1, codes: ['UNKNOWN_KEY'] },
  { name: 'a wrong type', key: 'server.port', value: 'x', codes: ['WRONG_TYPE'] },
  { name: 'a value out of range', key: 'server.port', value: 70_000, codes: ['INVALID_VALUE'] },
  { name: 'a name that is none', key: 'upstreams', value: { 'My Box': { provider: 'echo' } }, codes: ['INVALID_NAME'] },
  { name: 'a name with capitals', key: 'peers.UPPER', value: { node: 'a'.repeat(32) }, codes: ['INVALID_NAME'] },
  { name: 'a key below such a name', key: 'upstreams.UPPER.timeout', value: '5s', codes: ['INVALID_NAME'] },
  { name: 'an upstream without a provider', key: 'upstreams.mine.timeout', value: '5s', codes: ['MISSING_KEY'] },
  {
    name: 'a custom upstream without an address',
    key: 'upstreams.mine.provider',
    value: 'custom',
    codes: ['MISSING_BASE_URL'],
  },
  {
    name: 'a backend in a group that nobody could stop',
    key: 'backends.mine',
    value: { provider: 'vllm', group: 'gpu' },
    codes: ['MISSING_AGENT'],
  },
  {
    name: 'a backend with the name of an upstream',
    key: 'backends.echo',
    value: { provider: 'vllm' },
    codes: ['CONFLICTING_NAMES'],
  },
  {
    name: 'a custom backend without an address',
    key: 'backends.mine.provider',
    value: 'custom',
    codes: ['MISSING_BASE_URL'],
  },
  { name: 'a table for a value', key: 'server.port', value: {}, codes: ['WRONG_TYPE'] },
  { name: 'nothing', key: 'server.port', value: null, codes: ['WRONG_TYPE'] },
  { name: 'a key that keeps a short secret', key: 'auth.token', value: 'short', codes: ['INVALID_VALUE'] },
])('set refuses $name and leaves the file alone', async ({ key, value, codes }) => {
  const place = configPlace({ runtime: '# nothing yet\n' })
  const config = place.open()
  const before = config.current()
  expect(await codesOf(config.set(key, value, soft))).toEqual(codes)
  expect(place.read()).toBe('# nothing yet\n')
  expect(config.current()).toBe(before)
})

test('set refuses what the environment would hide, unless it is forced', async () => {
  const place = configPlace({ env: { GATE_LOG__LEVEL: 'error' } })
  const config = place.open()
  await expect(config.set('log.level', 'debug', soft)).rejects.toThrow(
    'GATE_LOG__LEVEL: log.level is set by the environment, which would hide the new value; change it there, or use --force',
  )
  expect(await codesOf(config.set('log', { level: 'debug' }, soft))).toEqual(['SHADOWED'])
  expect(place.read()).toBeUndefined()
  expect(await config.set('log.level', 'debug', { force: true })).toMatchObject({
    changed: [],
    shadowed: ['log.level'],
  })
  expect(place.read()).toContain('level = "debug"')
  expect(config.current().log.level).toBe('error')
})

test.each([
  { key: 'upstreams.openai.api_key', value: { secret: true } },
  { key: 'upstreams.openai.api_key', value: '{ "secret": true }' },
  { key: 'upstreams.openai', value: { api_key: { secret: true } } },
  { key: 'upstreams', value: { openai: { api_key: { secret: true } } } },
  { key: 'auth', value: { jwt: { secret: { secret: true } } } },
])('writing back what was shown for $key does not store the placeholder', async ({ key, value }) => {
  const place = configPlace({ runtime: '[upstreams.openai]\napi_key = "sk-canary"\n' })
  const config = place.open()
  expect(await codesOf(config.set(key, value, soft))).toEqual(['PLACEHOLDER'])
  expect(config.current().upstreams['openai']?.api_key).toBe('sk-canary')
})

test('a change made by hand since the last read is kept by the next edit', async () => {
  const place = configPlace({ runtime: '[log]\nlevel = "info"\n' })
  const config = place.open()
  place.write('config.toml', '# by hand\n[log]\nlevel = "warn"\n')
  expect(await config.set('discovery.enabled', false, soft)).toMatchObject({
    changed: ['discovery.enabled', 'log.level'],
  })
  expect(place.read()).toBe('# by hand\n[log]\nlevel = "warn"\n\n[discovery]\nenabled = false\n')
})

test('a file broken by hand is not overwritten', async () => {
  const place = configPlace({ runtime: '[log]\nlevel = "info"\n' })
  const config = place.open()
  place.write('config.toml', '[log]\nlevel = "wa')
  expect(await codesOf(config.set('log.level', 'debug', soft))).toEqual(['BROKEN_FILE', 'INVALID_TOML'])
  expect(await codesOf(config.unset('log.level'))).toEqual(['BROKEN_FILE', 'INVALID_TOML'])
  expect(place.read()).toBe('[log]\nlevel = "wa')
})

test('a change made by hand while an edit is checked is not overwritten', async () => {
  const place = configPlace({ runtime: '[log]\nlevel = "info"\n' })
  let armed = false
  // The environment is read while the edit is checked: that is when the other one writes.
  const env = new Proxy<Record<string, string>>(
    {},
    {
      ownKeys: () => {
        if (armed) place.write('config.toml', '# by hand\n')
        return []
      },
    },
  )
  const config = place.open(env)
  armed = true
  expect(await codesOf(config.set('log.level', 'debug', soft))).toEqual(['CHANGED_ON_DISK'])
  expect(place.read()).toBe('# by hand\n')
  expect(config.current().log.level).toBe('info')
})

test('an edit that would change the layout is refused', async () => {
  const place = configPlace({ runtime: '[[models.fast.targets]]\nupstream = "echo"\n' })
  expect(
    await codesOf(place.open().set('models.fast.targets', [{ upstream: 'echo' }, { upstream: 'echo' }], soft)),
  ).toEqual(['NOT_EDITABLE'])
})

test('edits made at the same time are all done', async () => {
  const config = configPlace().open()
  const names = Array.from({ length: 20 }, (_, index) => `box-${index}`)
  await Promise.all(
    names.map((name) =>
      config.set(`upstreams.${name}`, { provider: 'custom', base_url: `http://127.0.0.1:9/${name}` }, soft),
    ),
  )
  expect(Object.keys(config.current().upstreams).sort()).toEqual(['echo', ...names].sort())
})

const small = (folder: string) => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32k,mode=0700', 'tmpfs', folder])
  onTestFinished(() => {
    execFileSync('umount', [folder])
  })
}
const canMount = process.getuid?.() === 0 && process.platform === 'linux'

test.skipIf(!canMount)('a full disk leaves the old file and says so (needs root, for a small tmpfs)', async () => {
  const outer = configPlace()
  const folder = join(outer.folder, 'state')
  mkdirSync(folder)
  small(folder)
  const place = outer.at(folder)
  const config = place.open()
  await config.set('log.level', 'warn', soft)
  const before = place.read()
  const domains = Array.from({ length: 400 }, (_, index) => `${'long-'.repeat(10)}${index}.example.org`)
  expect(await codesOf(config.set('letsencrypt.domains', domains, soft))).toEqual(['WRITE_FAILED'])
  expect(place.read()).toBe(before)
  expect(place.read('config.toml.last-good')).toBe(before)
  expect(readdirSync(folder).sort()).toEqual(['config.toml', 'config.toml.last-good'])
  expect(config.current().letsencrypt.domains).toEqual([])
  expect(await config.set('log.level', 'debug', soft)).toMatchObject({ changed: ['log.level'] })
})

test('a value is read from text by the type of its key', () => {
  const { readText } = configPlace().open()
  expect(readText('server.port', '4000')).toBe(4000)
  expect(readText('discovery.enabled', 'false')).toBe(false)
  expect(readText('server.allow_from', '10.0.0.0/8, ::1')).toEqual(['10.0.0.0/8', '::1'])
  expect(readText('upstreams.a', '{"provider":"echo"}')).toEqual({ provider: 'echo' })
  expect(() => readText('server.port', 'many')).toThrow('server.port: is not a number; write 3000')
  expect(() => readText('server.prot', '1')).toThrow('did you mean server.port?')
})

test('validate says all that is wrong with a text and stores nothing', () => {
  const place = configPlace()
  const config = place.open()
  expect(config.validate('[log]\nlevel = "debug"\n')).toEqual([])
  const problems = config.validate('[log]\nlevel = "debu"\n[servr]\nport = 1\n[server]\nport = "x"\n')
  expect(problems.toSorted((a, b) => a.where.localeCompare(b.where)).map(problemLine)).toEqual([
    `${place.file}:2:1: log.level is not one of the allowed values; did you mean "debug"?`,
    `${place.file}:3:2: unknown key servr; did you mean server?`,
    `${place.file}:6:1: server.port is not a number`,
  ])
  expect(config.validate('[models.fast]\ntargets = [{ upstream = "ecko" }]\n')).toMatchObject([
    { code: 'UNKNOWN_UPSTREAM', where: `${place.file}:2:14`, hint: 'did you mean "echo"?' },
  ])
  expect(readdirSync(place.folder)).toEqual([])
})

test('diff lists what runtime changes over the layers below it', () => {
  const place = configPlace({
    env: { GATE_LOG__LEVEL: 'error' },
    declared: { server: { port: 1 } },
    runtime:
      '[server]\nport = 2\nhost = "127.0.0.1"\n[log]\nlevel = "debug"\n[upstreams.openai]\napi_key = "sk-canary"\n',
  })
  expect(place.open().diff()).toEqual([
    { key: 'server.port', below: 1, runtime: 2, effective: 'runtime' },
    { key: 'log.level', below: 'info', runtime: 'debug', effective: 'env' },
    { key: 'upstreams.openai.api_key', below: undefined, runtime: { secret: true }, effective: 'runtime' },
  ])
})

test.skipIf(process.getuid?.() === 0)(
  'a folder that cannot be written to leaves the old file (needs a user other than root)',
  async () => {
    const place = configPlace({ runtime: '# mine\n' })
    const config = place.open()
    chmodSync(place.folder, 0o500)
    onTestFinished(() => chmodSync(place.folder, 0o700))
    expect(await codesOf(config.set('log.level', 'warn', soft))).toEqual(['WRITE_FAILED'])
  },
)

test('C7: a new entry reports what was said, not its defaults, and so does its end', async () => {
  const config = configPlace().open()
  const value = { provider: 'custom', base_url: 'http://127.0.0.1:9/v1' }
  const keys = ['upstreams.box.base_url', 'upstreams.box.provider']
  expect((await config.set('upstreams.box', value, soft)).changed).toEqual(keys)
  expect((await config.unset('upstreams.box')).changed).toEqual(keys)
})

test('C7: a default that follows what was said, in an entry that stays, is a change', async () => {
  const config = configPlace({ runtime: '[upstreams.box]\nprovider = "ollama"\n' }).open()
  expect((await config.set('upstreams.box.provider', 'openai', soft)).changed).toEqual([
    'upstreams.box.base_url',
    'upstreams.box.provider',
  ])
})

test('C7: a value that is the default already changes nothing', async () => {
  const config = configPlace({ runtime: '[upstreams.box]\nprovider = "ollama"\n' }).open()
  expect((await config.set('upstreams.box.timeout', '600s', soft)).changed).toEqual([])
})

test('unsetting the last key of a table removes it; an upstream without a key is an upstream', async () => {
  const place = configPlace({ runtime: '[log]\nlevel = "debug"\n\n[upstreams.openai]\napi_key = "k"\n' })
  const config = place.open()
  await config.unset('log.level')
  await config.unset('upstreams.openai.api_key')
  expect(place.read()).toBe('[upstreams.openai]\n')
})
