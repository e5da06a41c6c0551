// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the form that config.toml has
import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { renderDiagnostic } from '../../../compiler/diagnostic.ts'

const IMAGE = `example.org/engine@sha256:${'0'.repeat(64)}`
const said = (text: string) => compile(text, { targets: ['quadlet'] }).diagnostics.map(({ code }) => code)
const backend = (extra: string) => `[backends.b]\nengine = "custom"\nnotify = "started"\nimage = "${IMAGE}"\n${extra}\n`

test.each([
  { name: 'a table where one of a few words belongs', text: 'gate.profile = {}', expected: 'INVALID_VALUE' },
  { name: 'an array there', text: backend('user = []'), expected: 'INVALID_VALUE' },
  { name: 'a key of 1,000 parts', text: `a${'.a'.repeat(1_000)} = 1`, expected: 'SYNTAX' },
  { name: 'a key of 5,000 parts', text: `a${'.a'.repeat(5_000)} = 1`, expected: 'SYNTAX' },
  { name: 'a table of 5,000 parts', text: `[a${'.a'.repeat(5_000)}]`, expected: 'SYNTAX' },
  { name: 'JSON 20,000 deep', text: `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, expected: 'SYNTAX' },
  { name: 'JSON arrays 20,000 deep', text: `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, expected: 'SYNTAX' },
  { name: 'arrays in TOML', text: `a = ${'['.repeat(5_000)}${']'.repeat(5_000)}`, expected: 'SYNTAX' },
  { name: '100,000 arguments', text: backend(`args = [${'"a",'.repeat(100_000)}]`), expected: 'SYNTAX' },
])('D1: $name is a diagnostic', ({ text, expected }) => expect(said(text)).toEqual([expected]))

// systemd loads no unit that holds one of them, and XML no file with some
test.each([
  '\\uFDD0',
  '\\uFDEF',
  '\\uFFFE',
  '\\uFFFF',
  '\\U0001FFFE',
  '\\U0010FFFE',
  '\\U0010FFFF',
  '\\u2028',
  '\\u0085',
])('F2: the character %s reaches no unit', (character) =>
  expect(said(backend(`args = ["a${character}"]`))).toEqual(['CONTROL_CHARACTER']),
)

test.each(['\\uFDCF', '\\uFDF0', '\\uFFFD', '\\U0001FFFD', '\\U0010FFFD', '\\uE000'])(
  'F2: the character %s is taken',
  (character) => expect(said(backend(`args = ["a${character}"]`))).toEqual([]),
)

test('D1: what a spec may have compiles', () => expect(said(backend(`args = [${'"a",'.repeat(10_000)}]`))).toEqual([]))

test('D4: a model that is written wrong is not missing as well', () =>
  expect(said(backend('model = "/mnt/x"').replace('custom', 'vllm'))).toEqual(['INVALID_VALUE']))

/** Line, column, code, message and hint of everything that is wrong. */
const errors = (text: string) =>
  compile(text, { targets: ['quadlet'] })
    .diagnostics.filter(({ severity }) => severity === 'error')
    .map(({ span, code, message, hint }) => `${span.line}:${span.column} ${code} ${message} = ${hint}`)

test.each([
  ['__proto__', 'INVALID_VALUE "__proto__" cannot be a name: it is reserved'],
  ['constructor', 'INVALID_VALUE "constructor" cannot be a name: it is reserved'],
  ['toString', 'INVALID_VALUE "toString" is not allowed here = use at most 20 lower-case'],
  ['hasOwnProperty', 'INVALID_VALUE "hasOwnProperty" is not allowed here'],
])('D4: a backend called %s', (name, said) => {
  expect(errors(`[backends.${name}]\nengine = "ollama"\n`)[0]).toContain(`1:11 ${said}`)
})

test('D4: __proto__ in JSON', () =>
  expect(errors('{"backends":{"__proto__":{"engine":"ollama"}}}')[0]).toBe(
    '1:14 INVALID_VALUE "__proto__" cannot be a name: it is reserved = write another name',
  ))

test.each([
  ['a missing quote', '[gate]\ndomain = "ai.home\nprofile = "desktop"\n', '2:10 SYNTAX', 'add " at its end'],
  ['a single one', "[gate]\ndomain = 'ai.home\n", '2:10 SYNTAX', "add ' at its end"],
  ['after a comment sign in a text', 'a = "#"\nb = "x # y\n', '2:5 SYNTAX', 'add " at its end'],
  ['in a list', 'a = ["b", "c]\nd = 1\n', '1:11 SYNTAX', 'add " at its end'],
  ['with an escaped quote', 'a = "b\\"\nc = 1\n', '1:5 SYNTAX', 'add " at its end'],
  ['three quotes', 'a = """b\nc = 1\n', '1:5 SYNTAX', 'unfinished string'],
])('D4: %s is shown where it opened', (_, text, place, hint) => {
  const [error = ''] = errors(text)
  expect(error).toContain(place)
  expect(error).toContain(hint)
})

test.each([
  ['tables', '[gate]\n\n[gate.server]\nport = 1\n[gate]\n', '5:1', 'line 1: [gate]'],
  ['tables of entries', '[backends.a]\n[backends.b]\n [ backends . a ]\n', '3:2', 'line 1: [backends.a]'],
  ['keys', '[gate]\ndomain = "a"\ndomain = "b"\n', '3:1', 'line 2: domain'],
  ['a key and a table', 'gate = {}\n[gate]\n', '2:1', 'line 1: gate'],
  ['a key with dots', '[a]\nb.c = 1\nb.c = 2\n', '3:1', 'line 2: b.c'],
  ['JSON', '{"gate": {},\n"gate": {}}', '2:1', 'the first is on line 1'],
])('D4: of two equal %s both are shown', (_, text, place, first) => {
  const [error = ''] = errors(text)
  expect(error).toContain(`${place} DUPLICATE_KEY`)
  expect(error).toContain(first)
})

test('of two equal keys the message shows no value, which may be a secret', () => {
  const [error = ''] = errors('[upstreams.a]\napi_key = "sk-one"\napi_key = "sk-two"\n')
  expect(error).toContain('line 2: api_key')
  expect(error).not.toContain('sk-')
})

test('D4: a name that is wrong hides nothing inside', () => {
  const text = '[backends."Bad Name"]\nengine = "olama"\nimage = 3\nfoo = 1\n[backends.b]\nengine = "x"\n'
  expect(errors(text).map((error) => error.split(' ').slice(0, 2).join(' '))).toEqual([
    '1:11 INVALID_VALUE',
    '2:10 INVALID_VALUE',
    '3:9 WRONG_TYPE',
    '4:1 UNKNOWN_KEY',
    '5:11 MISSING_KEY',
    '6:10 INVALID_VALUE',
  ])
})

test.each([
  ['network = "yes"', 'write true or false'],
  ['args = "--x"', 'write ["--x"]'],
  ['cpus = "1.5"', 'write 1.5'],
  ['memory = 24', 'A size such as "32MiB"'],
  ['idle_stop = 10', 'A duration such as "10s"'],
  ['gpu = "nvidia"', 'GPU that the container gets'],
  ['environment = ["A=1"]', 'More environment'],
  ['image_archive = 1', 'OCI or docker archive'],
])('D4: %s of the wrong type says what to write', (extra, hint) =>
  expect(errors(backend(extra)).join()).toContain(hint),
)

test('D4: ports that are used up are said once, and no port is called 0', () => {
  const lock = {
    version: 1,
    users: {},
    ports: Object.fromEntries(Array.from({ length: 16_384 }, (_, i) => [`x${i}`, 49_152 + i])),
  }
  const open = backend('listen = "tcp"\nport = "random"')
  const text = ['a', 'b'].map((name) => open.replace('backends.b', `backends.${name}`)).join('')
  const { diagnostics } = compile(text, { targets: ['quadlet'], lock: JSON.stringify(lock) })
  const said = diagnostics.filter(({ severity }) => severity === 'error')
  expect(said.map(({ code }) => code)).toEqual(['ALLOCATION_EXHAUSTED'])
  expect(said.map((one) => renderDiagnostic(one, text)).join()).not.toMatch(/port 0\b/)
})

test.each([
  ['uid = 1000', ['LOGIN_UID']],
  ['uid = 9999', ['LOGIN_UID']],
  ['uid = 10000', []],
  ['uid = 40000', []],
])('D5: %s', (extra, expected) => expect(said(backend(extra))).toEqual(expected))

/** `dns.listen`, `allow_from`, and the ranges that the diagnostics ask for. */
test.each([
  ['tailscale0', '"100.64.0.0/10"', ['"fd7a:115c:a1e0::/48"']],
  ['tailscale0', '"fd7a:115c:a1e0::/48"', ['"100.64.0.0/10"']],
  ['tailscale0', '"100.64.0.0/10", "fd7a:115c:a1e0::/48"', []],
  ['tailscale0', '"100.100.1.2", "fd7a:115c:a1e0::5"', []],
  ['tailscale0', '"192.168.0.0/16", "fd00::/8"', ['"100.64.0.0/10"']],
  ['tailscale0', '"127.0.0.0/8"', ['"100.64.0.0/10"', '"fd7a:115c:a1e0::/48"']],
  ['tailscale0', '"0.0.0.0/0", "::/0"', []],
  ['tailscale0', '', []],
  ['eth0', '"192.168.1.0/24"', ['"fd00::/8" or "fe80::/10"']],
  ['eth0', '"192.168.1.0/24", "2001:db8::/32"', []],
  ['100.101.102.103', '"100.64.0.0/10"', []],
  ['100.101.102.103', '"192.168.0.0/16"', ['"100.64.0.0/10"']],
  ['192.168.1.1', '"10.0.0.0/8"', []],
  ['192.168.1.1', '"::1", "127.0.0.1"', ['"192.168.0.0/16" or "10.0.0.0/8" or "172.16.0.0/12"']],
  ['fd7a:115c:a1e0::1', '"100.64.0.0/10"', ['"fd7a:115c:a1e0::/48"']],
  ['2001:db8::10', '"100.64.0.0/10", "2001:db8::/32"', []],
  ['lo', '"192.168.1.0/24"', []],
])('A16: names at %s, allow_from [%s]', (listen, allowed, ranges) => {
  const text = `[gate]\ndomain = "ai.home.arpa"\n[gate.server]\nallow_from = [${allowed}]\n[dns]\nengine = "dnsmasq"\nlisten = "${listen}"\n`
  const found = compile(text, { targets: ['quadlet'] }).diagnostics.filter(({ code }) => code === 'UNCOVERED_ADDRESS')
  expect(found.map(({ hint }) => hint)).toEqual(ranges.map((range) => `add their range, such as ${range}`))
})

const MESSAGES = (text: string) =>
  compile(text, { targets: ['declared'] }).diagnostics.map(({ code, message, hint }) => `${code}: ${message}; ${hint}`)

test.each([
  { text: '[budgets.t]\nlimit = 20\nwindow = "month"', says: 'expected a string; write' },
  { text: 'gate.server.body_timeout = 60', says: 'such as "10s"' },
  { text: 'gate.server.max_body = 5', says: 'such as "32MiB"' },
  { text: 'gate.server.port = nan', says: 'nan is not allowed here' },
  { text: 'gate.server.port = -inf', says: '-inf is not allowed here' },
  { text: 'gate.server.host = "${HOST}"', says: 'UNEXPANDED_VARIABLE: "${HOST}" is a variable of config.toml' },
  { text: 'gate.auth.token = "${TOKEN}"', says: '{ env = "NAME" }' },
])('C5: $text: $says', ({ text, says }) => {
  expect(MESSAGES(text).filter((line) => !line.startsWith('NOT_YET'))).toEqual([expect.stringContaining(says)])
})

test('C5: a value of 5 MB is not printed whole', () => {
  expect(MESSAGES(`gate.domain = "${'a'.repeat(5_000_000)}"`).join().length).toBeLessThan(1_000)
})

test.each(['nginx', 'caddy'])('A16: without authentication nothing is passed on by %s', (engine) => {
  const text = `[gate]\ndomain = "a.example.org"\nauth.mode = "none"\n[proxy]\nengine = "${engine}"\n`
  expect(MESSAGES(text).join()).toContain('OPEN_WITHOUT_AUTH')
})
