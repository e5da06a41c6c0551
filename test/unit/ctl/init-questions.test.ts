// D7: what `gatectl init` asks, and that a wrong answer is asked for again at once.
import { existsSync, readFileSync } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runGatectl } from '../../../ctl/gatectl.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(() => directory.remove())

/** Types lines at what takes itself for a terminal. */
async function init(lines: readonly string[], options: readonly string[] = []) {
  const file = directory.file('gate.toml')
  const [stdout, stderr] = [new PassThrough(), new PassThrough()].map((stream) =>
    Object.assign(stream, { isTTY: true }),
  )
  const stdin = Object.assign(Readable.from(lines.map((line) => `${line}\n`)), { isTTY: true })
  if (stdout === undefined || stderr === undefined) throw new Error('two streams')
  const said = text(stderr)
  stdout.resume()
  const code = await runGatectl(['init', file, ...options], { env: {}, stdin, stdout, stderr, isRoot: false })
  stderr.end()
  return { code, said: await said, spec: existsSync(file) ? readFileSync(file, 'utf8') : '' }
}

const TIMES = (said: string, question: string) => said.split(question).length - 1

// domain, profile, port, proxy, certificates, budget, providers, GPU, engines; images
test('D7 asks all that a set-up asks', async () => {
  const { code, spec } = await init([
    'ai.home.arpa',
    'small-vps',
    'random',
    'caddy',
    'internal-ca',
    'prod',
    'openai',
    '',
    '',
  ])
  expect(code).toBe(0)
  for (const line of ['domain = "ai.home.arpa"', 'port = "random"', 'engine = "caddy"', 'internal_ca = true'])
    expect(spec).toContain(line)
  expect(spec).toMatch(/\[budgets\.prod\]\nlimit = "200 USD"\nwindow = "month"\n[\s\S]*\[upstreams\.openai\]/)
})

test.each([
  ['a domain', 'Domain', ['not a domain', 'ai.home.arpa', '', '', '', '', '', '', '', '']],
  ['a profile', 'Machine', ['', 'huge', 'desktop', '', '', '', '', '', '']],
  ['a port', 'Port', ['', '', '0', '8080', '', '', '', '']],
  ['a proxy', 'Reverse proxy', ['a.test', '', '', 'apache', 'none', '', '', '', '']],
  ['a kind of certificates', 'Certificates', ['a.test', '', '', 'nginx', 'own', 'none', '', '', '', '']],
  ['a budget', 'Budget', ['', '', '', 'lots', 'test', '', '', '']],
  ['a provider', 'Providers', ['', '', '', '', 'opnai', 'openai', '', '']],
  ['a GPU', 'GPU of this machine', ['', '', '', '', '', 'geforce', 'none', '']],
  ['an engine', 'Local engines', ['', '', '', '', '', '', 'qwen', 'qwen=llama-cpp:a.gguf', '']],
  ['an engine without image for this GPU', 'Local engines', ['', '', '', '', '', '', 'a=vllm:b/c', '']],
  ['an image', 'Image of q', ['', '', '', '', '', '', 'q=llama-cpp:a.gguf', 'not an image', '']],
])('D7 %s that cannot be is asked for again, and no answer is lost', async (_, question, lines) => {
  const { code, said, spec } = await init(lines)
  expect(code, said).toBe(0)
  expect(TIMES(said, question)).toBe(2)
  expect(spec).toMatch(/^#:schema/)
})

test('D7 what an option says is not asked', async () => {
  const { code, said } = await init(
    ['', '', ''],
    [
      '--domain',
      'a.test',
      '--profile',
      'desktop',
      '--port',
      '1',
      '--gpu',
      'none',
      '--backend',
      'a=open-webui',
      '--budget',
      'test',
      '--proxy',
      'none',
    ],
  )
  expect(code, said).toBe(0)
  expect(said).toMatch(/^Providers.*Image of a/s)
  expect(TIMES(said, ']: ')).toBe(2)
})

test('D7 input that ends early writes nothing', async () => {
  expect(await init(['a.test'])).toMatchObject({
    code: 2,
    spec: '',
    said: expect.stringContaining('nothing was written'),
  })
})
