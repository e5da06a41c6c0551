import { expect, test } from 'vitest'
import { type CompileOptions, compile } from '../../../compiler/compile.ts'
import { CODES, type DiagnosticCode } from '../../../compiler/diagnostic.ts'
import { expectedGolden, goldenNames } from '../../support/golden.ts'

const IMAGE = `example.org/engine@sha256:${'0'.repeat(64)}`
const backend = (extra = ''): string => `engine = "vllm"\nimage = "${IMAGE}"\nmodel = "a/b"\n${extra}\n`

function compiled(text: string, options: Partial<CompileOptions> = {}) {
  const result = compile(text, { targets: ['quadlet'], ...options })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  return result
}

function refusedCodes(text: string, options: Partial<CompileOptions> = {}): DiagnosticCode[] {
  const result = compile(text, { targets: ['quadlet'], ...options })
  return result.kind === 'refused' ? result.diagnostics.map(({ code }) => code) : []
}

const lockOf = (result: ReturnType<typeof compiled>): string =>
  result.files.find(({ path }) => path === 'gate.lock.json')?.text ?? ''

/** So many backends, whose subordinate ids are the ranges of 65,536 from this one on. */
function lockWith(count: number, firstRange: number): string {
  const users = Array.from({ length: count }, (_, i) => {
    return [`b${i}`, { uid: 40_000 + i, subuid: (firstRange + i) * 65_536 }]
  })
  return JSON.stringify({ version: 1, users: Object.fromEntries(users), ports: {} })
}

// as versions of before chose them
const fullLock = lockWith(20_000, 8_192)

test.each([
  { name: 'a lock that is no JSON', code: 'INVALID_LOCK', text: '', options: { lock: '{' } },
  { name: 'a lock of another version', code: 'INVALID_LOCK', text: '', options: { lock: '{"version":2}' } },
  { name: 'podman 4.3', code: 'UNSUPPORTED_VERSION', text: '', options: { podman: { major: 4, minor: 3 } } },
  { name: 'podman 6.0', code: 'UNSUPPORTED_VERSION', text: '', options: { podman: { major: 6, minor: 0 } } },
  { name: 'systemd 251', code: 'UNSUPPORTED_VERSION', text: '', options: { systemd: 251 } },
  {
    name: 'more backends than ranges of subordinate ids',
    code: 'ALLOCATION_EXHAUSTED',
    text: `[backends.new]\n${backend()}`,
    options: { lock: lockWith(2_245, 30_521) },
  },
  {
    name: 'more backends than user ids',
    code: 'ALLOCATION_EXHAUSTED',
    text: `[backends.new]\n${backend()}`,
    options: { lock: fullLock },
  },
] as const)('refuses $name', ({ text, code, options }) => {
  expect(refusedCodes(text, options)).toEqual([code])
})

test('every diagnostic code is provoked by a golden spec or above', () => {
  const shown = goldenNames().map((name) => expectedGolden(name).get('diagnostics.txt') ?? '')
  const provoked = new Set(
    shown.flatMap((text) => [...text.matchAll(/ (?:error|warning) ([A-Z_]+): /g)].map((m) => m[1])),
  )
  // the last two are in settings.test.ts and egress.test.ts
  const above = [
    'INVALID_LOCK',
    'UNSUPPORTED_VERSION',
    'ALLOCATION_EXHAUSTED',
    'CONTRADICTING_SETTING',
    'UNKNOWN_ADDRESS',
  ]
  expect(Object.keys(CODES).filter((code) => !provoked.has(code) && !above.includes(code))).toEqual([])
})

test("subordinate ids are nobody else's", () => {
  const { users } = JSON.parse(lockOf(compiled(`[backends.m]\n${backend()}`)))
  const [first, last] = [users.m.subuid, 32_765 * 65_536 + 65_535]
  expect(first % 65_536).toBe(0)
  expect(first).toBeGreaterThanOrEqual(2_000_200_000) // SSSD: ldap_idmap_range_max; above it useradd and systemd-nspawn
  expect(last).toBeLessThan(2_147_352_576) // systemd: foreign ids
})

test('what the lock chose stays when backends come and go', () => {
  const first = compiled(`[backends.m]\n${backend('listen = "tcp"\nport = "random"')}\n[backends.z]\n${backend()}`)
  const second = compiled(`[backends.a]\n${backend()}\n[backends.m]\n${backend('listen = "tcp"\nport = "random"')}`, {
    lock: lockOf(first),
  })
  const [before, after] = [first, second].map((result) => JSON.parse(lockOf(result)))
  expect(after).toMatchObject(before)
  expect(after.users.a.uid).toBe(40_002)
  expect(Object.keys(after.users)).toEqual(['a', 'm', 'z'])
})

test('a second compilation with the lock of the first gives the same bytes', () => {
  const text = `[gate.server]\nport = "random"\n[backends.m]\n${backend('listen = "tcp"\nport = "random"')}`
  const first = compiled(text)
  expect(compiled(text, { lock: lockOf(first), seed: 'another' }).files).toEqual(first.files)
})

test('random ports differ between hosts and lie in the dynamic range', () => {
  const ports = ['a', 'b', 'c'].map(
    (seed) => compiled('[gate.server]\nport = "random"', { seed }).deployment.gateway.port,
  )
  expect(new Set(ports).size).toBe(3)
  for (const port of ports) expect(port).toSatisfy((p: number) => p >= 49_152 && p <= 65_535)
})

test('the deployment is frozen all the way down', () => {
  const { deployment } = compiled(`[backends.m]\n${backend()}`)
  const open = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && (!Object.isFrozen(value) || Object.values(value).some(open))
  expect(open(deployment)).toBe(false)
})

test('the order of sections does not change the output', () => {
  const sections = [`[backends.m]\n${backend()}`, `[backends.a]\n${backend()}`, '[gate]\nprofile = "small-vps"\n']
  const texts = (result: ReturnType<typeof compiled>) => result.files.map(({ path, text }) => [path, text])
  expect(texts(compiled(sections.join('\n')))).toEqual(texts(compiled(sections.toReversed().join('\n'))))
})

test.each([
  { line: 'MemoryMax=25769803776', origin: 'backends.qwen.memory' },
  { line: 'StopWhenUnneeded=yes', origin: 'backends.qwen.idle_stop' },
  { line: 'Image=', origin: 'backends.qwen.image' },
  { line: 'ContainerName=', origin: 'backends.qwen' },
])('the line $line comes from $origin', ({ line, origin }) => {
  const { files } = compiled(`[backends.qwen]\n${backend('memory = "24GiB"\nidle_stop = "10m"')}`)
  const file = files.find(({ path }) => path.endsWith('gate-qwen.container'))
  const index = file?.text.split('\n').findIndex((text) => text.startsWith(line)) ?? -1
  expect(file?.origins[index]).toBe(origin)
})

test('every line of every file has an origin', () => {
  const { files } = compiled(`[backends.qwen]\n${backend('idle_stop = "10m"')}`)
  for (const { path, text, origins } of files)
    expect({ path, lines: origins.length }).toEqual({ path, lines: text.split('\n').length - 1 })
})

test('JSON and TOML of the same spec give the same files', () => {
  const toml = compiled(`[backends.qwen]\n${backend()}`)
  const json = compiled(JSON.stringify({ backends: { qwen: { engine: 'vllm', image: IMAGE, model: 'a/b' } } }))
  expect(json.files).toEqual(toml.files)
})
