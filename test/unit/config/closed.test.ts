import { chmodSync, mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configPlace, refusal } from '../../support/config-place.ts'

/** One bad value for each key that narrows who is let in, or what they may send. */
const NARROWING = [
  ['server.allow_from', '["10.0.0.0/33"]'],
  ['server.allowed_hosts', '[""]'],
  ['server.trusted_proxies', '["not-an-address"]'],
  ['server.max_body', '"1 MB"'],
  ['server.max_buffered', '"-1MiB"'],
  ['server.max_connections', '0'],
  ['server.max_concurrent', '1.5'],
  ['server.max_background', '-1'],
  ['server.max_recorded', '"64 MB"'],
  ['server.host', '"127.0.0.1 "'],
  ['server.headers_timeout', '"0s"'],
  ['server.body_timeout', '"60"'],
  ['server.stall_timeout', '"-1s"'],
  ['auth.mode', '"pasword"'],
  ['auth.token', '"short"'],
  ['auth.jwt.secret', '""'],
  ['auth.jwt.issuer', '""'],
  ['auth.jwt.expiration_hours', '0'],
] as const

const REST = '\n[log]\nlevel = "warn"\n'

describe('A1: what narrows access and cannot be read closes the gateway', () => {
  test.each(NARROWING)('A1 %s with a bad value', (key, value) => {
    const config = configPlace({ runtime: `${key} = ${value}\n${REST}` }).open()
    expect(config.closed()).toContain('gatectl status')
    expect(config.problems()).toMatchObject([{ layer: 'runtime' }])
  })

  test.each(NARROWING)('A1 %s with a value of another type', (key) => {
    for (const value of ['true', '2026-01-01', '{ a = 1 }', '[[1]]'])
      expect(
        configPlace({ runtime: `${key} = ${value}\n` })
          .open()
          .closed(),
        value,
      ).toBeDefined()
  })

  test.each(NARROWING)('A1 %s in a file that is broken elsewhere', (key, value) => {
    for (const broken of ['[log', 'x = ', '\0', '"', 'a = 1\na = 2', '= 1'])
      expect(
        configPlace({ runtime: `${key} = ${value}\n${broken}` })
          .open()
          .closed(),
        broken,
      ).toBeDefined()
  })

  test.each([
    { name: 'no TOML', text: '[server\nport = 1' },
    { name: 'NUL bytes', text: '\0\0\0\0' },
    { name: 'NUL bytes at the end', text: `${REST}\0\0` },
    { name: 'a zip file', text: 'PK\u0003\u0004\u0014' },
    { name: 'JSON', text: '{ "server": { "allow_from": [] } }' },
    { name: 'two byte order marks', text: `\uFEFF\uFEFF${REST}` },
    { name: 'a table that is a value', text: 'server = 1\n' },
    { name: 'a table that is a list', text: '[[auth]]\nmode = "token"\n' },
    { name: 'a misspelt key that narrows', text: '[server]\nalow_from = ["10.0.0.0/8"]\n' },
    { name: 'the same in another style', text: '[server]\nallowFrom = ["10.0.0.0/8"]\n' },
    { name: 'a misspelt table that narrows', text: '[sever]\nallow_from = ["10.0.0.0/8"]\n' },
    { name: 'an unknown key of authentication', text: '[auth]\nscopes = ["chat:write"]\n' },
    { name: 'an engine search that was to be off', text: '[discovery]\nenabled = "no"\n' },
    { name: 'a misspelt switch', text: '[discovery]\nenable = false\n' },
    { name: 'a misspelt limit', text: '[server]\nbody_timeot = "5s"\n' },
    { name: 'a key that narrows in the wrong table', text: '[access]\nallow_from = ["10.0.0.0/8"]\n' },
    { name: 'too much of everything', text: Array.from({ length: 501 }, (_, n) => `k${n} = 1\n`).join('') },
    { name: 'a file larger than any configuration', text: `#${'x'.repeat(128 * 1024)}` },
  ])('A1 $name', ({ text }) => {
    const place = configPlace({ runtime: text, declared: { log: { level: 'warn' } } })
    const config = place.open()
    expect(config.closed()).toBeDefined()
    expect(config.problems().length).toBeGreaterThan(0)
    expect(config.current()).toMatchObject({ log: { level: 'warn' } })
    expect(place.read()).toBe(text)
    expect(place.read('config.toml.last-good')).toBeUndefined()
    expect(place.lines.map(({ message }) => message)).toContain(
      'closed: no client is served until the runtime file is repaired',
    )
  })

  test('A1 bytes that are not UTF-8, a directory, a file that may not be read', () => {
    const latin = configPlace()
    latin.write('config.toml', Buffer.from([0x61, 0x3d, 0x22, 0xe9, 0x22]))
    expect(latin.open().closed()).toBeDefined()
    const directory = configPlace()
    mkdirSync(directory.file)
    expect(directory.open().closed()).toBeDefined()
    if (process.getuid?.() === 0) return
    const secret = configPlace({ runtime: REST })
    chmodSync(secret.file, 0)
    expect(secret.open().closed()).toBeDefined()
  })

  test.each([
    { name: 'no file', text: undefined },
    { name: 'an empty file', text: '' },
    { name: 'a byte order mark', text: `\uFEFF${REST}` },
    { name: 'comments', text: '# nothing\n' },
  ])('A1 $name is right and closes nothing', ({ text }) => {
    const config = configPlace(text === undefined ? {} : { runtime: text }).open()
    expect([config.closed(), config.problems()]).toEqual([undefined, []])
  })

  test('A1 an empty file beside a copy that is broken was cut off', () => {
    const place = configPlace({ runtime: '' })
    place.write('config.toml.last-good', '[server]\nallow_from = ["10.0.0')
    expect(place.open().closed()).toBeDefined()
  })
})

describe('A1: a link to the runtime file that leads nowhere is no absent file', () => {
  const RUNTIME = '[server]\nallow_from = ["10.0.0.0/8"]\n'

  test('A1 from the start', () => {
    const place = configPlace()
    symlinkSync('/nonexistent/config.toml', place.file)
    expect(place.open().closed()).toContain('gatectl status')
  })

  test('A1 later, with a good copy: the copy stays in force, also after a restart', async () => {
    const place = configPlace()
    place.write('real.toml', RUNTIME)
    const target = join(place.folder, 'real.toml')
    symlinkSync(target, place.file)
    const config = place.open()
    expect(config.current().server.allow_from).toEqual(['10.0.0.0/8'])
    renameSync(target, `${target}.away`)
    await config.reload()
    for (const one of [config, place.open()]) {
      expect(one.current().server.allow_from).toEqual(['10.0.0.0/8'])
      expect(one.problems()).toMatchObject([{ code: 'UNREADABLE_FILE', layer: 'runtime' }])
    }
  })
})

describe('A1: what narrows nothing is left out alone', () => {
  const ALLOWED = '[server]\nallow_from = ["192.0.2.0/24"]\n'
  test.each([
    { name: 'an unknown key', text: `${ALLOWED}prot = 2\n`, key: 'server.prot' },
    { name: 'an unknown table', text: `colour = 1\n${ALLOWED}`, key: 'colour' },
    { name: 'a bad port', text: `${ALLOWED}port = "x"\n`, key: 'server.port' },
    { name: 'a bad level', text: `${ALLOWED}[log]\nlevel = "loud"\n`, key: 'log.level' },
    { name: 'a bad name', text: `${ALLOWED}[upstreams."A B"]\nprovider = "echo"\n`, key: 'upstreams."A B"' },
    { name: 'a model without targets', text: `${ALLOWED}[models.a]\ntargets = []\n`, key: 'models.a.targets' },
    { name: 'a bad timeout', text: `${ALLOWED}[upstreams.echo]\ntimeout = 5\n`, key: 'upstreams.echo.timeout' },
  ])('A1 $name', ({ text, key }) => {
    const config = configPlace({ runtime: text }).open()
    expect(config.closed()).toBeUndefined()
    expect(config.current().server.allow_from).toEqual(['192.0.2.0/24'])
    expect(config.problems()).toMatchObject([{ key, layer: 'runtime' }])
  })

  test('A1 an upstream that was to be off is not on because its "off" cannot be read', () => {
    const config = configPlace({
      runtime: '[upstreams.box]\nenabled = "no"\n',
      declared: { upstreams: { box: { provider: 'ollama' } } },
    }).open()
    expect(Object.keys(config.current().upstreams)).not.toContain('box')
  })
})

test('A1 a host that cannot be read does not give way to a wider one of another layer', () => {
  const declared = { server: { host: '0.0.0.0' } }
  const config = configPlace({ runtime: '[server]\nhost = "127.0.0.1 "\n', declared }).open()
  expect(config.closed()).toBeDefined()
})

describe('A1: mending opens again, without a restart', () => {
  test('A1 by an edit of the bad key', async () => {
    const place = configPlace({ runtime: '[server]\nallow_from = "10.0.0.0/8" # office\n' })
    const config = place.open()
    const { changed } = await config.set('server.allow_from', ['10.0.0.0/8'], { force: false })
    expect(changed).toEqual(['server.allow_from'])
    expect([config.closed(), config.problems()]).toEqual([undefined, []])
    expect(place.read()).toBe('[server]\nallow_from = ["10.0.0.0/8"] # office\n')
    expect(place.read('config.toml.last-good')).toBe(place.read())
  })

  test('A1 key by key, where several are bad; the copy waits for the last', async () => {
    const place = configPlace({ runtime: '[server]\nallow_from = 1\nmax_body = 2\nalow = 3\n' })
    const config = place.open()
    await config.set('server.max_body', '1MiB', { force: false })
    expect(config.closed()).toBeDefined()
    expect(place.read('config.toml.last-good')).toBeUndefined()
    await config.unset('server.alow')
    expect(config.closed()).toBeDefined()
    await config.unset('server.allow_from')
    expect(config.closed()).toBeUndefined()
    expect(config.current().server.max_body).toBe('1MiB')
  })

  test('A1 an edit that mends nothing is refused, and one of a file that cannot be parsed', async () => {
    const place = configPlace({ runtime: '[server]\nallow_from = 1\n' })
    const set = place.open().set('log.level', 'debug', { force: false })
    await expect(set).rejects.toMatchObject({ code: 'BROKEN_FILE' })
    place.write('config.toml', '[server')
    const other = place.open().set('log.level', 'debug', { force: false })
    await expect(other).rejects.toMatchObject({ code: 'BROKEN_FILE' })
    expect(place.read()).toBe('[server')
  })

  test.each([
    { name: 'a mended file', text: REST },
    { name: 'an empty file', text: '' },
    { name: 'a file with a harmless mistake', text: `${REST}colour = 1\n` },
  ])('A1 by $name and a reload', async ({ text }) => {
    const place = configPlace({ runtime: '[server' })
    const config = place.open()
    const seen: string[][] = []
    config.onChange((_, changed) => seen.push([...changed]))
    place.write('config.toml', text)
    await config.reload()
    expect(config.closed()).toBeUndefined()
    expect(seen).toEqual(text === '' ? [] : [['log.level']])
  })

  test('A1 never while it listens, or asks for keys, as the file does not say', async () => {
    const place = configPlace({ runtime: '[auth', declared: { auth: { mode: 'none' } } })
    const config = place.open()
    place.write('config.toml', '[auth]\nmode = "token"\n')
    await config.reload()
    expect(config.closed()).toContain('when gate-daemon restarts')
    expect(place.open().closed()).toBeUndefined()
  })

  test('A1 a running gateway is never closed: what is in force stays', async () => {
    const place = configPlace({ runtime: '[server]\nallow_from = ["192.0.2.0/24"]\n' })
    const config = place.open()
    place.remove('config.toml.last-good')
    for (const text of ['[server', '\0', '[server]\nallow_from = 1\n']) {
      place.write('config.toml', text)
      expect(await config.reload()).toMatchObject({ changed: [], problems: [{ layer: 'runtime' }] })
      expect(config.closed()).toBeUndefined()
      expect(config.current().server.allow_from).toEqual(['192.0.2.0/24'])
    }
  })

  test('A1 nor one that runs with a part of its file', async () => {
    const place = configPlace({ runtime: 'colour = 1\n[server]\nallow_from = ["192.0.2.0/24"]\n' })
    const config = place.open()
    place.write('config.toml', '[server')
    await config.reload()
    expect(config.closed()).toBeUndefined()
    expect(config.current().server.allow_from).toEqual(['192.0.2.0/24'])
  })

  test('A1 a wrong environment or declared file is no reason to run closed', () => {
    const place = configPlace({ runtime: '[server', declared: { server: { port: 'x' } } })
    expect(refusal(() => place.open())).toMatchObject([{ layer: 'declared' }])
  })
})
