import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { gatectl } from '../../support/gatectl.ts'

const IMAGE = `example.org/engine@sha256:${'0'.repeat(64)}`
const backend = (name: string, extra = ''): string =>
  `[backends.${name}]\nengine = "vllm"\nimage = "${IMAGE}"\nmodel = "a/b"\n${extra}\n`

let folder = ''
let [spec, out] = ['', '']
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-compile-'))
  ;[spec, out] = [join(folder, 'gate.toml'), join(folder, 'out')]
  writeFileSync(spec, backend('qwen', 'memory = "24GiB"') + backend('small'))
})

afterEach(() => rmSync(folder, { recursive: true }))

const compile = (...more: readonly string[]) => gatectl(['compile', spec, '--target', 'quadlet', '--out', out, ...more])
/** Path -> text of everything below the output directory. */
const tree = () =>
  Object.fromEntries(
    readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(out.length + 1), readFileSync(path, 'utf8')]),
  )

test('check shows every problem in its code frame and exits with 3', async () => {
  writeFileSync(
    spec,
    `[gate]\nprofil = "desktop"\n${backend('qwen', 'memory = "lots"\u0009# tab').replace(IMAGE, 'x:1')}`,
  )
  const run = await gatectl(['check', spec])
  expect(run.code).toBe(3)
  expect(run.stdout.replaceAll(folder, '')).toMatchInlineSnapshot(`
    "/gate.toml:2:1: error UNKNOWN_KEY: unknown key "profil"
      |
    2 | profil = "desktop"
      | ^^^^^^
      = did you mean "profile"?

    /gate.toml:5:9: warning UNQUALIFIED_IMAGE: podman asks no registry for an image whose name has none
      |
    5 | image = "x:1"
      |         ^^^^^
      = write "docker.io/library/x:1", or the registry that has it

    /gate.toml:5:9: warning UNPINNED_IMAGE: a tag can change what runs
      |
    5 | image = "x:1"
      |         ^^^^^
      = write it as name@sha256:…; "podman image inspect --format {{.Digest}} x:1" shows the digest

    /gate.toml:7:10: error INVALID_VALUE: "lots" is not allowed here
      |
    7 | memory = "lots"	# tab
      |          ^^^^^^
      = write a number and a unit: B, KiB, MiB, GiB or TiB, such as "32MiB"

    checked for what gatectl apply makes: caddy, client, declared, dnsmasq, nftables, nginx, quadlet, systemd
    /gate.toml: 2 errors, 2 warnings
    "
  `)
  const json = JSON.parse((await gatectl(['check', spec, '--json'])).stdout)
  expect(json).toMatchObject({ valid: false, diagnostics: [{ code: 'UNKNOWN_KEY', line: 2, column: 1 }, {}, {}, {}] })
})

test('check passes with warnings, reads standard input, and sees what a target cannot express', async () => {
  const tagged = backend('qwen').replace(IMAGE, 'example.org/engine:1')
  const run = await gatectl(['check', '-'], { stdin: tagged })
  expect(run).toMatchObject({ code: 0, stderr: '' })
  expect(run.stdout).toMatch(/standard input:3:9: warning UNPINNED_IMAGE[\s\S]*standard input: 1 warning\n$/)
  const old = ['check', '-', '--target', 'quadlet', '--podman', '4.4.1']
  expect((await gatectl(old, { stdin: tagged })).stdout).toContain('TOO_OLD')
})

test('check makes control characters of the spec visible', async () => {
  const run = await gatectl(['check', '-'], { stdin: 'gate = \u001b[31m' })
  expect(run.code).toBe(3)
  expect(run.stdout).not.toContain('\u001b')
})

test('writes the files and the lock, says so, and a second run changes nothing', async () => {
  const first = await compile()
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toContain('new, 0 changed, 0 removed')
  const [files, lock] = [tree(), readFileSync(join(folder, 'gate.lock.json'), 'utf8')]
  expect(Object.keys(files)).toContain('quadlet/users/40000/gate-qwen.container')
  expect(JSON.parse(files['gate.manifest.json'] ?? '')).toMatchObject({ version: 1 })
  const second = JSON.parse((await compile('--json')).stdout)
  expect(second).toMatchObject({ kind: 'compiled', changes: [], lock_changed: false })
  expect(tree()).toEqual(files)
  expect(readFileSync(join(folder, 'gate.lock.json'), 'utf8')).toBe(lock)
})

test('removes what is no longer made, with its directories, and keeps what was changed since', async () => {
  await compile()
  const [gone, edited] = [
    join(out, 'quadlet/users/40001/gate-small.container'),
    join(out, 'quadlet/user-units/40001/gate-agent.socket'),
  ]
  writeFileSync(edited, '[Socket]\n')
  writeFileSync(join(out, 'quadlet/users/40001/mine.txt'), 'mine')
  writeFileSync(spec, backend('qwen'))
  const run = await compile()
  expect(run).toMatchObject({ code: 0 })
  expect(run.stderr).toContain(`changed since: ${edited} stays`)
  expect([gone, edited, join(out, 'quadlet/users/40001/mine.txt')].map(existsSync)).toEqual([false, true, true])
  expect(existsSync(join(out, 'quadlet/user-units/40001/sockets.target.d'))).toBe(false)
  // ids, once chosen, stay: files of the old backend may still be on the host
  expect(JSON.parse(readFileSync(join(folder, 'gate.lock.json'), 'utf8')).users).toHaveProperty('small')
})

test.each([
  { name: 'a file of somebody else', put: (path: string) => writeFileSync(path, 'mine') },
  { name: 'a link to a file', put: (path: string) => symlinkSync(join(folder, 'gate.toml'), path) },
  { name: 'a directory', put: (path: string) => mkdirSync(path) },
])('writes nothing when $name is in the way', async ({ put }) => {
  mkdirSync(join(out, 'quadlet/users/40000'), { recursive: true })
  put(join(out, 'quadlet/users/40000/gate-qwen.container'))
  const before = readdirSync(out, { recursive: true })
  const run = await compile()
  expect(run).toMatchObject({ code: 1, stdout: '' })
  expect(run.stderr).toContain('gate-qwen.container')
  expect(readdirSync(out, { recursive: true })).toEqual(before)
  expect(existsSync(join(folder, 'gate.lock.json'))).toBe(false)
})

test('follows no link out of the output directory', async () => {
  mkdirSync(join(folder, 'elsewhere'))
  mkdirSync(out)
  symlinkSync(join(folder, 'elsewhere'), join(out, 'quadlet'))
  expect((await compile()).code).toBe(1)
  expect(readdirSync(join(folder, 'elsewhere'))).toEqual([])
})

test.each(['../gate.toml', '/etc/passwd', 'quadlet/../../gate.toml', './x', 'a//b'])(
  'a manifest that names %s removes nothing',
  async (path) => {
    mkdirSync(out)
    const manifest = JSON.stringify({ version: 1, files: { [path]: '0'.repeat(64) } })
    writeFileSync(join(out, 'gate.manifest.json'), manifest)
    const run = await compile()
    expect(run).toMatchObject({ code: 1, stdout: '' })
    expect(run.stderr).toMatch(/gate\.manifest\.json is not what this compiler wrote/)
  },
)

test('a file that an earlier compilation made is made again, whatever is in it now', async () => {
  await compile()
  const path = join(out, 'quadlet/users/40000/gate-qwen.container')
  writeFileSync(path, 'half of an earlier version')
  expect((await compile()).code).toBe(0)
  expect(readFileSync(path, 'utf8')).toContain('MemoryMax')
})

test('--check writes nothing, exits with 3, and patch(1) can apply what it prints', async () => {
  await compile()
  expect(await compile('--check')).toMatchObject({ code: 0, stdout: '', stderr: 'no difference\n' })
  const copy = join(folder, 'copy')
  cpSync(out, copy, { recursive: true, preserveTimestamps: true })
  writeFileSync(spec, backend('qwen', 'memory = "20GiB"\nidle_stop = "10m"') + backend('small', 'network = true'))
  const drift = await compile('--check')
  expect(drift.code).toBe(3)
  expect(drift.stdout).toContain('+MemoryMax=21474836480')
  const patched = spawnSync('patch', ['-p1', '-d', '/'], { input: drift.stdout, encoding: 'utf8' })
  expect(patched).toMatchObject({ status: 0, stderr: '' })
  const { 'gate.manifest.json': _, ...byPatch } = tree()
  rmSync(out, { recursive: true })
  cpSync(copy, out, { recursive: true })
  await compile()
  const { 'gate.manifest.json': __, ...byCompile } = tree()
  expect(byPatch).toEqual(byCompile)
})

test('--check sees the lock, a mode and a file in the way', async () => {
  await compile()
  const path = join(out, 'quadlet/users/40000/gate-qwen.container')
  chmodSync(path, 0o600)
  rmSync(join(folder, 'gate.lock.json'))
  const run = await compile('--check')
  expect(run.code).toBe(3)
  expect(run.stdout).toContain(`${path}: mode 0600 must be 0644`)
  expect(run.stdout).toContain(`+++ ${join(folder, 'gate.lock.json')}`)
  expect(existsSync(join(folder, 'gate.lock.json'))).toBe(false)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  await compile()
  expect(statSync(path).mode & 0o777).toBe(0o644)
})

test('a spec with errors writes nothing and exits with 1', async () => {
  writeFileSync(spec, 'gate = 1')
  const run = await compile()
  expect(run).toMatchObject({ code: 1, stdout: '' })
  expect(run.stderr).toMatch(/WRONG_TYPE[\s\S]*1 error; nothing was written/)
  expect(existsSync(out)).toBe(false)
  expect(JSON.parse((await compile('--json')).stdout)).toMatchObject({
    kind: 'refused',
    diagnostics: [{ path: 'gate' }],
  })
})

test.each([
  { name: 'no target', args: ['--out', 'x'], says: /give --target A,B\n/ },
  { name: 'no directory', args: ['--target', 'quadlet'], says: /give --out DIR/ },
  { name: 'a target misspelled', args: ['--target', 'quadlets', '--out', 'x'], says: /did you mean quadlet\?/ },
  { name: 'no version', args: ['--target', 'quadlet', '--out', 'x', '--podman', 'new'], says: /--podman: "new"/ },
  {
    name: 'no whole number',
    args: ['--target', 'quadlet', '--out', 'x', '--systemd', '1.5'],
    says: /--systemd: "1\.5"/,
  },
])('exits with 2 for $name', async ({ args, says }) => {
  const run = await gatectl(['compile', spec, ...args])
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toMatch(says)
})

describe('D1: an output directory that cannot be one', () => {
  const file = () => join(folder, 'file')
  const dangling = () => join(folder, 'dangling')
  beforeEach(() => {
    writeFileSync(file(), '')
    symlinkSync(join(folder, 'nothing'), dangling())
    symlinkSync(dangling(), join(folder, 'twice'))
  })
  test.each([
    ['a file', () => file(), 'is not a directory'],
    ['below a file', () => join(file(), 'out'), 'ENOTDIR'],
    ['a link to nothing', () => dangling(), 'is a link to nothing'],
    ['a link to a link to nothing', () => join(folder, 'twice'), 'is a link to nothing'],
    ['below a link to nothing', () => join(dangling(), 'out'), 'E'],
    ['a device', () => '/dev/null', 'is not a directory'],
    ['/proc', () => '/proc', 'E'],
    ['below /proc', () => '/proc/gate', 'E'],
    ['deep below /proc', () => '/proc/gate/a/b', 'E'],
    ['/sys', () => '/sys/gate', 'E'],
    ['a name that is too long', () => join(folder, 'x'.repeat(300)), 'ENAMETOOLONG'],
    ['the empty name', () => '', 'give --out DIR'],
  ])('%s', async (_, directory, reason) => {
    const run = await gatectl(['compile', spec, '--target', 'quadlet', '--out', directory()])
    expect(run).toMatchObject({ code: expect.toSatisfy((code) => code === 1 || code === 2), stdout: '' })
    expect(run.stderr).toContain(reason)
    expect(run.stderr).not.toMatch(/^\s+at /m)
  })

  test.skipIf(process.getuid?.() === 0)('without rights (needs a user other than root)', async () => {
    mkdirSync(out, { mode: 0o555 })
    expect((await compile()).stderr).toContain('EACCES')
  })
})
