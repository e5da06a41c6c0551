import { chmodSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configPlace, refusal } from '../../support/config-place.ts'
import { sampled } from '../../support/effort.ts'

const CANARY = 'sk-canary-0123456789'
/** A file such as people have: comments, tables, lists over lines, a secret. */
const FILE = `# Gate on the shelf
[server]
port = 4000
allow_from = [
  "127.0.0.0/8", # this host
  "100.64.0.0/10",
]

[upstreams.openai]
api_key = "${CANARY}"
timeout = "300s"

[upstreams.box]
provider = "custom"
base_url = "http://127.0.0.1:9000/v1"

# the one that everybody uses
[models.coder]
targets = [{ upstream = "box", model = "qwen" }, { upstream = "openai", model = "gpt" }]

[log]
level = "debug"
`

/** What nobody wants to lose. */
function kept(config: ReturnType<ReturnType<typeof configPlace>['open']>) {
  const { server, upstreams, models, log } = config.current()
  return { server, upstreams, models, log }
}

test('a file cut at any place never stops the daemon and never loses the last good values', () => {
  const place = configPlace({ runtime: FILE })
  const whole = kept(place.open())
  fc.assert(
    fc.property(fc.nat(Buffer.byteLength(FILE) - 1), (bytes) => {
      place.write('config.toml', Buffer.from(FILE).subarray(0, bytes).toString())
      const config = place.open()
      expect(kept(config)).toEqual(whole)
      // Without its last line break it says the same, so it may become the copy.
      expect(place.read('config.toml.last-good')?.trimEnd()).toBe(FILE.trimEnd())
    }),
    { numRuns: sampled(80, 200) },
  )
})

test('nor does one cut at a line, where the rest is TOML by itself', () => {
  const place = configPlace({ runtime: FILE })
  const whole = kept(place.open())
  const ends = [...FILE.matchAll(/\n/g)].flatMap(({ index }) => [index, index + 1]).filter((end) => end < FILE.length)
  for (const end of [0, ...ends]) {
    place.write('config.toml', FILE.slice(0, end))
    const config = place.open()
    expect(kept(config)).toEqual(whole)
    const isSame = FILE.slice(end).trim() === ''
    expect(config.problems().length > 0, `cut at ${end}`).toBe(!isSame)
  }
})

test('nor one that is cut while the daemon runs', async () => {
  const place = configPlace({ runtime: FILE })
  const config = place.open()
  const whole = kept(config)
  for (let bytes = 0; bytes < FILE.length; bytes += 7) {
    place.write('config.toml', FILE.slice(0, bytes))
    expect(await config.reload()).toMatchObject({ changed: [], problems: [{ layer: 'runtime' }] })
    expect(kept(config)).toEqual(whole)
  }
  place.write('config.toml', FILE)
  expect(await config.reload()).toEqual({ changed: [], restart: [], shadowed: [], problems: [] })
})

test('a torn file is called so, and says what to do', () => {
  const place = configPlace({ runtime: FILE })
  place.open()
  place.write('config.toml', FILE.slice(0, FILE.indexOf('# the one')))
  expect(place.open().problems()).toEqual([
    {
      code: 'TORN_FILE',
      layer: 'runtime',
      where: place.file,
      message: 'ends in the middle of the last good copy, so its end was probably lost',
      hint: `copy ${place.lastGood} over it; if you removed the end on purpose, add a comment line in its place`,
    },
  ])
  expect(place.lines.map(({ level, message, fields }) => [level, message, fields.code])).toEqual([
    ['error', 'configuration problem', 'TORN_FILE'],
    ['error', 'the last good runtime file is in force', undefined],
  ])
  expect(place.read()).toBe(FILE.slice(0, FILE.indexOf('# the one')))
})

test.each([
  { name: 'a comment instead of the end', edit: `${FILE.slice(0, FILE.indexOf('\n[log]'))}# no log\n` },
  { name: 'an end that is removed with something else', edit: FILE.replace('# Gate on the shelf\n', '').slice(0, -17) },
  { name: 'a removed trailing line break', edit: FILE.slice(0, -1) },
])('a change by hand is none of it: $name', ({ edit }) => {
  const place = configPlace({ runtime: FILE })
  place.open()
  place.write('config.toml', edit)
  expect(place.open().problems()).toEqual([])
  expect(place.read('config.toml.last-good')).toBe(edit)
})

test('an unset of the last key by us is no tear', async () => {
  const place = configPlace({ runtime: FILE })
  const config = place.open()
  await config.unset('log')
  expect(FILE.startsWith(place.read() ?? '')).toBe(true)
  const again = place.open()
  expect(again.problems()).toEqual([])
  expect(again.current().log.level).toBe('info')
})

test('a start after a stop between the two renames of an edit has whole values', () => {
  const before = '[log]\nlevel = "warn"\n'
  const place = configPlace({ runtime: before })
  place.open()
  // The copy is renamed first: the old file, the new copy.
  place.write('config.toml.last-good', `${before}\n[server]\nport = 5000\n`)
  const config = place.open()
  expect(config.current()).toMatchObject({ log: { level: 'warn' }, server: { port: 5000 } })
})

test('a removed file is no accident of a write: the layer is empty, and the copy stays', () => {
  const place = configPlace({ runtime: FILE })
  place.open()
  place.remove('config.toml')
  const config = place.open()
  expect(config.current().server.port).toBe(3000)
  expect(config.problems()).toEqual([])
  expect(place.read('config.toml.last-good')).toBe(FILE)
})

test.each([
  { name: 'no TOML', text: '[server\nport = 1', code: 'INVALID_TOML', where: ':1:8' },
  { name: 'a key twice', text: '[log]\nlevel = "info"\nlevel = "warn"\n', code: 'INVALID_TOML', where: ':3:1' },
  {
    name: 'a wrong value in a list',
    text: '[server]\nallow_from = [\n  "::1",\n  "999.1.1.1/99",\n]\n',
    code: 'INVALID_VALUE',
    where: ':4:3',
  },
  {
    name: 'a wrong value in a block',
    text: '[[models.a.targets]]\nupstream = "echo"\n[[models.a.targets]]\nupstream = "echo"\nweight = 0\n',
    code: 'INVALID_VALUE',
    where: ':5:1',
  },
  {
    name: 'a target that does not exist',
    text: '[models.a]\ntargets = [{ upstream = "ecko" }]\n',
    code: 'UNKNOWN_UPSTREAM',
    where: ':2:14',
  },
  {
    name: 'no key at all for strangers',
    text: '[auth]\nmode = "none"\n[server]\nhost = "0.0.0.0"\n',
    code: 'OPEN_TO_ALL',
    where: ':2:1',
  },
  { name: 'a secret that is too short', text: '[auth]\ntoken = "sk-canary"\n', code: 'INVALID_VALUE', where: ':2:1' },
  { name: 'a prototype', text: '__proto__.server.port = 1\n', code: 'INVALID_TOML', where: ':1:1' },
])('a first start with $name goes on without the file and leaves it alone', ({ text, code, where }) => {
  const place = configPlace({ runtime: text, declared: { log: { level: 'warn' } } })
  const config = place.open()
  expect(config.current()).toMatchObject({ log: { level: 'warn' }, server: { port: 3000 } })
  expect(config.problems()).toMatchObject([{ code, layer: 'runtime', where: `${place.file}${where}` }])
  expect(place.read()).toBe(text)
  expect(place.read('config.toml.last-good')).toBeUndefined()
  expect(JSON.stringify([config.problems(), place.lines])).not.toContain('sk-canary')
})

test.each([
  {
    name: 'an unknown key',
    text: '[server]\nport = 1\nprot = 2\n',
    code: 'UNKNOWN_KEY',
    where: ':3:1',
    rest: { server: { port: 1 } },
  },
  {
    name: 'one wrong value among right ones',
    text: '[log]\nlevel = "debug"\n[server]\nport = "x"\n',
    code: 'WRONG_TYPE',
    where: ':4:1',
    rest: { log: { level: 'debug' }, server: { port: 3000 } },
  },
])(
  'A1 a first start with $name goes on with the rest of the file and leaves it alone',
  ({ text, code, where, rest }) => {
    const place = configPlace({ runtime: text, declared: { log: { level: 'warn' } } })
    const config = place.open()
    expect(config.current()).toMatchObject(rest)
    expect(config.problems()).toMatchObject([{ code, layer: 'runtime', where: `${place.file}${where}` }])
    expect(place.read()).toBe(text)
    expect(place.read('config.toml.last-good')).toBeUndefined()
  },
)

test('a file with one mistake is refused as a whole, with all problems, in favour of the last good one', async () => {
  const place = configPlace({ runtime: FILE })
  const config = place.open()
  place.write('config.toml', FILE.replace('"debug"', '"warn"').replace('timeout', 'timeuot').replace('4000', '"4000"'))
  const { changed, problems } = await config.reload()
  expect(changed).toEqual([])
  expect(problems.map((problem) => problem.code).sort()).toEqual(['UNKNOWN_KEY', 'WRONG_TYPE'])
  expect(config.current().log.level).toBe('debug')
  expect(place.open().current().log.level).toBe('debug')
})

test('the copy itself may be broken', () => {
  const place = configPlace({ runtime: '[serv' })
  place.write('config.toml.last-good', '[ser')
  const config = place.open()
  expect(config.current().server.port).toBe(3000)
  expect(config.problems()).toMatchObject([{ code: 'INVALID_TOML' }])
})

test('bytes that are no UTF-8 are a broken file', () => {
  const place = configPlace({ runtime: FILE })
  place.open()
  place.write('config.toml', Buffer.from([0x61, 0xff, 0x3d]))
  expect(place.open().problems()).toMatchObject([{ code: 'UNREADABLE_FILE' }])
  expect(place.open().current().log.level).toBe('debug')
})

test.skipIf(process.getuid?.() === 0)(
  'a file that may not be read is a broken file (needs a user other than root)',
  () => {
    const place = configPlace({ runtime: FILE })
    place.open()
    chmodSync(place.file, 0)
    expect(place.open().problems()).toMatchObject([{ code: 'UNREADABLE_FILE' }])
  },
)

test('what stood on a lost runtime file is left out, loudly, and the rest starts', () => {
  const place = configPlace({
    runtime: '[upstreams.box',
    env: { GATE_UPSTREAMS__BOX__API_KEY: 'sk-canary', GATE_LOG__LEVEL: 'debug' },
    declared: { models: { coder: { targets: [{ upstream: 'box' }] } }, upstreams: { ollama: {} } },
  })
  const config = place.open()
  expect(config.current()).toMatchObject({ log: { level: 'debug' }, models: {} })
  expect(Object.keys(config.current().upstreams).sort()).toEqual(['echo', 'ollama'])
  expect(config.problems().map(({ code, layer }) => [code, layer])).toEqual([
    ['INVALID_TOML', 'runtime'],
    ['MISSING_KEY', 'env'],
    ['UNKNOWN_UPSTREAM', 'declared'],
  ])
})

test('what the lost runtime file kept safe stays safe', () => {
  const place = configPlace({
    runtime: '[auth]\nmode = "tok',
    declared: { auth: { mode: 'none' } },
    env: { GATE_SERVER__HOST: '0.0.0.0' },
  })
  const config = place.open()
  expect(config.current().auth.mode).toBe('token')
  expect(config.problems().map(({ code }) => code)).toEqual(['INVALID_TOML', 'OPEN_TO_ALL'])
})

test('a wrong layer below stops the start when there is no runtime file to blame', () => {
  const place = configPlace({ declared: { models: { coder: { targets: [{ upstream: 'box' }] } } } })
  expect(refusal(() => place.open())).toMatchObject([
    { code: 'UNKNOWN_UPSTREAM', layer: 'declared', where: place.declaredFile },
  ])
})

test('a file that becomes whole again is taken on reload', async () => {
  const place = configPlace({ runtime: FILE })
  const config = place.open()
  place.write('config.toml', '[log')
  await config.reload()
  place.write('config.toml', FILE.replace('"debug"', '"warn"'))
  expect(await config.reload()).toMatchObject({ changed: ['log.level'], problems: [] })
  expect(config.problems()).toEqual([])
})

test('no secret is in anything that is shown', () => {
  const place = configPlace({ runtime: FILE })
  const config = place.open()
  const shown = [
    config.list(),
    config.explain('upstreams'),
    config.explain('upstreams.openai.api_key'),
    config.diff(),
    config.promote('nix'),
    config.promote('spec'),
    place.lines,
  ]
  expect(JSON.stringify(shown)).not.toContain(CANARY)
  for (const text of [
    FILE.replace('[log]', '[lo'),
    FILE.replace('"300s"', '"300'),
    FILE.replace(CANARY, `${CANARY} \\u`),
  ])
    expect(JSON.stringify(config.validate(text))).not.toContain(CANARY)
  expect(config.current().upstreams['openai']?.api_key).toBe(CANARY)
})

test('an address that no URL parser takes does not stop the start', () => {
  const place = configPlace({ runtime: '[upstreams.openai]\nbase_url = "http://host:99999/v1"\n' })
  const config = place.open()
  expect(config.problems()).toMatchObject([{ code: 'INVALID_VALUE', key: 'upstreams.openai.base_url' }])
  for (const { base_url } of Object.values(config.current().upstreams))
    expect(URL.canParse(base_url ?? 'http://x')).toBe(true)
})

test.each([
  { mode: 0o644, folder: 0o711, warned: true },
  { mode: 0o640, folder: 0o750, warned: true },
  { mode: 0o600, folder: 0o711, warned: false },
  { mode: 0o644, folder: 0o700, warned: false },
  { mode: 0o604, folder: 0o710, warned: false },
])('a file of mode $mode in a folder of mode $folder: warned is $warned', ({ mode, folder, warned }) => {
  const place = configPlace({ runtime: '[log]\nlevel = "warn"\n' })
  chmodSync(place.file, mode)
  chmodSync(place.folder, folder)
  place.open()
  const warnings = place.lines.filter(({ message }) => message.includes('other users can read'))
  expect(warnings).toEqual(
    warned ? [{ level: 'warn', message: expect.stringContaining('chmod 600'), fields: { file: place.file } }] : [],
  )
})

test('a runtime file that --config names is read and edited there; its last good copy stays with the state', async () => {
  const place = configPlace()
  const named = `${place.folder}/elsewhere.toml`
  place.write('config.toml', 'server.port = 4001\n')
  place.write('elsewhere.toml', '# mine\nserver.port = 4002\n')
  const config = place.open({}, named)
  expect(config.current().server.port).toBe(4002)
  await config.set('log.level', 'debug', { force: false })
  expect(place.read('elsewhere.toml')).toContain('# mine\nserver.port = 4002\n')
  expect(place.read('elsewhere.toml')).toContain('level = "debug"')
  expect(place.read('config.toml')).toBe('server.port = 4001\n')
  expect(place.read('config.toml.last-good')).toBe(place.read('elsewhere.toml'))
})
