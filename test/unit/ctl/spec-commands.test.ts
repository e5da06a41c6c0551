import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePathText, pathText } from '../../../schemas/spec/path.ts'
import { gatectl } from '../../support/gatectl.ts'

const SPEC = `[backends.qwen]
engine = "vllm"
image = "example.org/engine@sha256:${'0'.repeat(64)}"
model = "a/b"
memory = "24GiB"
`
let folder = ''
let spec = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-spec-'))
  spec = join(folder, 'gate.toml')
  writeFileSync(spec, SPEC)
})
afterEach(() => rmSync(folder, { recursive: true }))

const FILE = 'quadlet/users/40000/gate-qwen.container'
const explain = async (path: string) => (await gatectl(['explain', spec, path, '--json'])).stdout
type Line = { line: number; text: string; origin: string; written?: boolean; spec?: { line: number; column: number } }

test('explain shows the line of the spec that a line of the output comes from', async () => {
  const { lines } = JSON.parse(await explain(FILE)) as { lines: Line[] }
  const memory = lines.find(({ text }) => text.startsWith('MemoryMax='))
  expect(memory).toMatchObject({ origin: 'backends.qwen.memory', written: true, spec: { line: 5, column: 10 } })
  expect(lines.find(({ text }) => text.startsWith('PidsLimit='))).toMatchObject({ written: false, spec: { line: 1 } })
  const one = await gatectl(['explain', spec, `${FILE}:${memory?.line}`])
  expect(one).toMatchObject({ code: 0, stderr: '' })
  expect(one.stdout).toContain('MemoryMax=25769803776\n  comes from backends.qwen.memory\n')
  expect(one.stdout).toMatch(/gate\.toml:5:10\n {2}5 \| memory = "24GiB"\n$/)
})

test.each(['/etc/containers/systemd/users/40000/gate-qwen.container', `/some/out/${FILE}`])(
  'explain finds the file by %s',
  async (path) => expect(JSON.parse(await explain(path))).toMatchObject({ path: FILE }),
)

test('explain shows a whole file, each line after its key', async () => {
  const run = await gatectl(['explain', spec, FILE])
  expect(run.stdout).toMatch(/^backends\.qwen\.memory:5 +\| MemoryMax=25769803776$/m)
  expect(run.stdout).toMatch(/^backends\.qwen\.pids \(default\) +\| PidsLimit=4096$/m)
})

test.each([
  {
    name: 'a path that is misspelled',
    path: FILE.replace('qwen', 'qwem'),
    code: 1,
    says: /did you mean quadlet\/users/,
  },
  { name: 'a line that is not there', path: `${FILE}:999`, code: 2, says: /has no line 999/ },
])('explain says what is wrong with $name', async ({ path, code, says }) => {
  const run = await gatectl(['explain', spec, path])
  expect(run).toMatchObject({ code, stdout: '' })
  expect(run.stderr).toMatch(says)
})

test('explain shows the diagnostics of a spec that does not compile', async () => {
  writeFileSync(spec, 'gate = 1')
  const run = await gatectl(['explain', spec, FILE])
  expect(run.code).toBe(1)
  expect(run.stderr).toMatch(/does not compile[\s\S]*WRONG_TYPE/)
})

test('the text of any path is read back as that path', () => {
  const step = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a.b', 'x[0]', '"', '\\', ''), fc.nat(99))
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.array(step, { maxLength: 5 }), (first, rest) => {
      expect(parsePathText(pathText([first, ...rest]))).toEqual([first, ...rest])
    }),
  )
})

test.each([
  { name: 'nothing', args: [] },
  {
    name: 'a domain and providers',
    args: ['--domain', 'ai.home.arpa', '--upstream', 'openai', '--upstream', 'anthropic'],
  },
  {
    name: 'backends on an NVIDIA GPU',
    args: ['--gpu', 'nvidia', '--backend', 'qwen=vllm:Qwen/Qwen3-8B', '--backend', 'small=llama-cpp:a.gguf'],
  },
  {
    name: 'backends without GPU',
    args: ['--backend', 'a=llama-cpp:a.gguf', '--backend', 'b=ollama', '--backend', 'web=open-webui'],
  },
  {
    name: 'D2 an Ollama, which pulls its model',
    args: ['--backend', 'o=ollama:llama3.2:3b'],
    says: /\nmodel = "llama3\.2:3b"\nhub = \{\}\n/,
  },
  {
    name: 'D3 embeddings and speech',
    args: ['--backend', 'e=tei:BAAI/bge-m3', '--backend', 'i=infinity:BAAI/bge-m3', '--backend', 'w=whisper-cpp:w.bin'],
    says: /cpu-1\.9[\s\S]*latest-cpu[\s\S]*whisper\.cpp:main"/,
  },
  {
    name: 'D3 embeddings and speech on an NVIDIA GPU',
    args: ['--gpu', 'nvidia', '--backend', 'e=tei:BAAI/bge-m3', '--backend', 'w=whisper-cpp:w.bin'],
    says: /cuda-1\.9[\s\S]*main-cuda"/,
  },
  { name: 'a small machine', args: ['--profile', 'small-vps', '--gpu', 'amd', '--backend', 'a=ollama'] },
  {
    name: 'D7 a proxy with ACME, a random port and a budget',
    args: '--domain ai.example.org --proxy nginx --tls acme:a@example.org --port random --budget test'.split(' '),
  },
  {
    name: 'D7 a CA of its own',
    args: '--domain ai.home.arpa --proxy caddy --tls internal-ca --budget prod'.split(' '),
  },
])('init --yes writes a spec that compiles: $name', async ({ args, says = /./ }) => {
  const file = join(folder, 'new.toml')
  expect(await gatectl(['init', file, '--yes', ...args])).toMatchObject({ code: 0, stderr: '' })
  expect(readFileSync(file, 'utf8')).toMatch(/^#:schema \.\/gate\.schema\.json\n/)
  expect(readFileSync(file, 'utf8')).toMatch(says)
  const { valid, diagnostics } = JSON.parse((await gatectl(['check', file, '--target', 'quadlet', '--json'])).stdout)
  // images have tags until somebody pins them, and Ollama checks no key
  const codes = (diagnostics as { code: string }[]).map(({ code }) => code)
  const known = ['UNPINNED_IMAGE', 'UNPROTECTED_BACKEND', 'NOT_YET']
  expect(codes.filter((code) => !known.includes(code))).toEqual([])
  expect(valid).toBe(true)
})

test('the schema that init names is there, and is the one of this version', async () => {
  const file = join(folder, 'new.toml')
  await gatectl(['init', file, '--yes'])
  const path = /^#:schema (.*)\n/.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
  const generated = join(import.meta.dirname, '../../../schemas/json/spec.json')
  expect(readFileSync(join(folder, path), 'utf8')).toBe(readFileSync(generated, 'utf8'))
})

test('a foreign file in place of the schema stays, and nothing is written', async () => {
  writeFileSync(join(folder, 'gate.schema.json'), '{}')
  const run = await gatectl(['init', join(folder, 'new.toml'), '--yes'])
  expect(run).toMatchObject({ code: 1, stdout: '' })
  expect(run.stderr).toMatch(/gate\.schema\.json already exists/)
  expect(existsSync(join(folder, 'new.toml'))).toBe(false)
})

test.each([
  { into: 'absent/inner/new.toml', says: /new\.toml: its directory is not there\n {2}mkdir -p .*absent\/inner\n$/ },
  { into: 'gate.toml/new.toml', says: /new\.toml: what it would be in is not a directory\n {2}write it elsewhere\n$/ },
])('init into $into says why it cannot', async ({ into, says }) => {
  const run = await gatectl(['init', join(folder, into), '--yes'])
  expect(run).toMatchObject({ code: 1, stdout: '' })
  expect(run.stderr).toMatch(says)
})

test('with images by digest the first spec has no warning', async () => {
  const file = join(folder, 'new.toml')
  const image = `qwen=ghcr.io/x/y@sha256:${'0'.repeat(64)}`
  await gatectl(['init', file, '--yes', '--backend', 'qwen=llama-cpp:a.gguf', '--image', image])
  const { diagnostics } = JSON.parse((await gatectl(['check', file, '--json'])).stdout)
  expect(diagnostics).toEqual([])
})

test('init overwrites with --force only', async () => {
  const run = await gatectl(['init', spec, '--yes'])
  expect(run).toMatchObject({ code: 1, stdout: '' })
  expect(run.stderr).toMatch(/already exists\n.*--force/)
  expect(readFileSync(spec, 'utf8')).toBe(SPEC)
  expect((await gatectl(['init', spec, '--yes', '--force'])).code).toBe(0)
  expect(readFileSync(spec, 'utf8')).toMatch(/^#:schema/)
})

test.each([
  { name: 'no terminal', args: [], says: /no terminal to ask/ },
  { name: 'a wrong domain', args: ['--yes', '--domain', 'not a domain'], says: /INVALID_VALUE/ },
  { name: 'a quote in a name', args: ['--yes', '--domain', 'x"\n[gate.tls]'], says: /CONTROL_CHARACTER|INVALID_VALUE/ },
  { name: 'an unknown provider', args: ['--yes', '--upstream', 'opnai'], says: /did you mean "openai"/ },
  { name: 'D7 no port', args: ['--yes', '--port', '70000'], says: /--port: "70000"/ },
  { name: 'D7 no certificate', args: ['--yes', '--tls', 'letsencrypt'], says: /--tls: "letsencrypt"/ },
  { name: 'D7 no budget', args: ['--yes', '--budget', 'huge'], says: /there are: test, prod, unlimited/ },
  { name: 'D7 a proxy without a domain', args: ['--yes', '--proxy', 'nginx'], says: /do not make a valid spec/ },
  { name: 'no engine', args: ['--yes', '--backend', 'qwen'], says: /NAME=ENGINE:MODEL/ },
  { name: 'an engine of the prototype', args: ['--yes', '--backend', 'a=constructor:b'], says: /NAME=ENGINE:MODEL/ },
  { name: 'an image of no backend', args: ['--yes', '--image', 'a=b'], says: /there is no backend "a"/ },
  { name: 'an image without a name', args: ['--yes', '--image', 'b'], says: /NAME=REGISTRY/ },
  { name: 'vLLM without a GPU', args: ['--yes', '--backend', 'a=vllm:a/b'], says: /no image for --gpu none/ },
])('init exits with 2 and writes nothing for $name', async ({ args, says }) => {
  const file = join(folder, 'new.toml')
  const run = await gatectl(['init', file, ...args])
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toMatch(says)
  expect(existsSync(file)).toBe(false)
})
