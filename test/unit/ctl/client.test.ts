import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import { parse as parseToml } from 'smol-toml'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { CLIENT_NAMES, CLIENTS, type ClientFile, type Gateway } from '../../../ctl/commands/client/clients.ts'
import { withGateway } from '../../../ctl/commands/client/written-file.ts'
import { isTree, leafPaths, valueAt } from '../../../syntax/tree.ts'
import { startAdminDaemon } from '../../support/admin-daemon.ts'
import { gatectl } from '../../support/gatectl.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const usual = { id: 'qwen3', contextTokens: 65_536, outputTokens: 8_192, images: true, tools: true, reasoning: true }
const odd = { id: 'odd "model" #1: x=$y', images: false, tools: false, reasoning: false }
const GATEWAY: Gateway = {
  url: 'https://gate.example.com',
  keyFile: "/home/ann o'neil/.config/gate/keys/x",
  home: "/home/ann o'neil",
  models: [usual, odd],
  smallModel: odd.id,
}

const READERS: Readonly<Record<ClientFile['format'], (text: string) => unknown>> = {
  json: (text) => JSON.parse(text),
  toml: parseToml,
  yaml: (text) => parseYaml(text),
  env: (text) => ({ ...parseEnv(text) }),
}

/** What is in a file already, in each format, and how an own key of the file looks there. */
const FOREIGN: Readonly<Record<ClientFile['format'], string>> = {
  json: '{\n    "theme": "dark",\n    "env": { "MINE": "1" },\n    "provider": { "other": { "name": "x" } }\n}\n',
  toml: '# mine\napproval_policy = "never"\n\n[model_providers.other]\nname = "x" # kept\n',
  yaml: '# mine\ndark-mode: true\nread:\n  - CONVENTIONS.md\n',
  env: '# mine\nexport MINE=1\n',
}

const files = CLIENT_NAMES.flatMap((name) =>
  CLIENTS[name].files(GATEWAY).map((file: ClientFile) => ({ name, path: file.path, file })),
)

describe.each(files)('$name: $path', ({ file }) => {
  const read = READERS[file.format]
  const edited = (before: string) => {
    const edit = withGateway(before, file)
    if (edit.kind === 'refused') throw new Error(edit.reason)
    return edit.text
  }

  test('a new one is read by its own format and says what it should', () => {
    const seen = read(edited(''))
    for (const path of leafPaths(file.values)) expect(valueAt(seen, path)).toEqual(valueAt(file.values, path))
    expect([...leafPaths(seen)]).toHaveLength([...leafPaths(file.values)].length)
  })

  test.skipIf('isWhole' in file)('what was in it stays', () => {
    const before = FOREIGN[file.format]
    const seen = read(edited(before))
    const foreign = read(before)
    for (const path of leafPaths(foreign)) expect(valueAt(seen, path)).toEqual(valueAt(foreign, path))
    for (const path of leafPaths(file.values)) expect(valueAt(seen, path)).toEqual(valueAt(file.values, path))
    for (const line of before.split('\n').filter((one) => one.startsWith('#'))) expect(edited(before)).toContain(line)
  })

  test('a second time changes nothing', () => {
    for (const before of ['', FOREIGN[file.format]]) expect(edited(edited(before))).toBe(edited(before))
  })
})

test.each([
  { format: 'json', before: '{ // mine\n}', says: /comments/ },
  { format: 'json', before: '{"id": 9007199254740993}', says: /digits would be lost: 9007199254740993/ },
  { format: 'json', before: '{"a": {"b\\"": 1, "b\\"" : 2}}', says: /twice/ },
  { format: 'json', before: '[]', says: /not plain JSON/ },
  { format: 'toml', before: 'a = \n', says: /line 1 of it is not valid TOML/ },
  { format: 'toml', before: 'model_providers = "none"\n', says: /written/ },
  { format: 'yaml', before: '{ model: x }\n', says: /one key per line/ },
  { format: 'yaml', before: 'model:\n  - x\n', says: /several lines/ },
  { format: 'yaml', before: 'model: x\nmodel: y\n', says: /twice/ },
  { format: 'env', before: 'DEFAULT_MODELS=a\nDEFAULT_MODELS=b\n', says: /twice/ },
] as const)('a file that cannot be merged is refused: $format $before', ({ format, before, says }) => {
  const { file } = files.findLast((one) => one.file.format === format && !('isWhole' in one.file)) ?? {}
  if (file === undefined) throw new Error(format)
  expect(withGateway(before, { ...file, ...(format === 'yaml' && { values: { model: 'x' } }) } as ClientFile)).toEqual({
    kind: 'refused',
    reason: expect.stringMatching(says),
  })
})

describe('gatectl client', () => {
  const LIST = {
    data: [
      { id: 'echo', owned_by: 'echo' },
      {
        id: 'fast',
        context_length: 32_000,
        architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'] },
        top_provider: { max_completion_tokens: 4_000 },
        supported_parameters: ['tools', 'reasoning'],
      },
      { id: 'plain' },
      { id: 'embed', architecture: { output_modalities: ['embeddings'] } },
    ],
  }
  let gate: Server
  let url: string
  let needsKey = true
  let daemon: Awaited<ReturnType<typeof startAdminDaemon>>
  let home: ReturnType<typeof temporaryDirectory>

  beforeAll(async () => {
    gate = createServer(({ headers, url: path }, response) => {
      const isLet = !needsKey || /^Bearer gate_\S+$/.test(headers.authorization ?? '')
      response.statusCode = path !== '/v1/models' ? 404 : isLet ? 200 : 401
      response.end(JSON.stringify(LIST))
    })
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`
    daemon = await startAdminDaemon(undefined, undefined, { listen: [url.replace('127.0.0.1', '0.0.0.0')] })
  })
  afterAll(async () => {
    gate.close()
    await daemon.stop()
  })
  beforeEach(() => {
    needsKey = true
    home = temporaryDirectory()
  })
  afterEach(() => home.remove())

  const ctl = (...args: string[]) =>
    gatectl(['client', ...args], { env: { HOME: home.path, GATE_ADMIN_SOCKET: daemon.socketPath } })
  const put = (path: string, text: string) => {
    mkdirSync(dirname(home.file(path)), { recursive: true })
    writeFileSync(home.file(path), text)
  }

  test('makes a key, keeps it in one file that only the user may read, and writes the rest', async () => {
    put('.claude/settings.json', '{"theme":"dark"}')
    const run = await ctl('claude', '--new-key')
    expect(run).toMatchObject({ code: 0, stderr: '' })
    const key = home.read('.config/gate/keys/claude')
    expect(key).toMatch(/^gate_\S+\n$/)
    expect(run.stdout).not.toContain(key.trim())
    const settings = home.read('.claude/settings.json')
    expect(settings).not.toContain(key.trim())
    expect(JSON.parse(settings)).toMatchObject({
      theme: 'dark',
      apiKeyHelper: `cat ${home.file('.config/gate/keys/claude')}`,
      env: { ANTHROPIC_BASE_URL: url, ANTHROPIC_MODEL: 'fast', CLAUDE_CODE_MAX_CONTEXT_TOKENS: '32000' },
    })
    for (const file of ['.config/gate/keys/claude', '.claude/settings.json'])
      expect(statSync(home.file(file)).mode & 0o777).toBe(0o600)
    expect((await ctl('claude')).stdout).toMatch(/^unchanged /)
    expect(await ctl('claude', '--new-key', '--json')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('FILE_EXISTS'),
    })
  })

  test('writes server.external_url, and asks the listener of this host for the models', async () => {
    const set = (...args: string[]) => gatectl(['config', ...args], { env: { GATE_ADMIN_SOCKET: daemon.socketPath } })
    expect((await set('set', 'server.external_url', 'https://ai.example.org')).code).toBe(0)
    try {
      expect(await ctl('claude', '--new-key')).toMatchObject({ code: 0, stderr: '' })
      const { env } = JSON.parse(home.read('.claude/settings.json'))
      expect(env).toMatchObject({ ANTHROPIC_BASE_URL: 'https://ai.example.org', ANTHROPIC_MODEL: 'fast' })
    } finally {
      await set('unset', 'server.external_url')
    }
  })

  test('offers the models that were named, with their limits, and none that answers no text', async () => {
    put('.config/gate/keys/opencode', 'gate_x\n')
    expect((await ctl('opencode', '--model', 'plain', '--model', 'fast')).code).toBe(0)
    const settings: unknown = JSON.parse(home.read('.config/opencode/opencode.json'))
    expect(settings).toMatchObject({ model: 'gate/plain', small_model: 'gate/fast' })
    expect(valueAt(settings, ['provider', 'gate', 'models', 'fast', 'limit'])).toEqual({
      context: 32_000,
      output: 4_000,
    })
    expect((await ctl('opencode')).code).toBe(0)
    const models = valueAt(JSON.parse(home.read('.config/opencode/opencode.json')), ['provider', 'gate', 'models'])
    expect(isTree(models) && Object.keys(models)).toEqual(['fast', 'plain', 'echo'])
  })

  test('--sign-in writes where Claude Code signs in, and no key', async () => {
    put('.claude/settings.json', '{ "theme": "dark", "apiKeyHelper": "cat mine" }')
    const run = await ctl('claude', '--sign-in', '--url', 'https://ai.example.org/v1')
    expect(run).toMatchObject({ code: 0, stderr: expect.stringContaining('apiKeyHelper is taken before the sign-in') })
    expect(run.stdout).toContain('https://ai.example.org/device')
    expect(JSON.parse(home.read('.claude/settings.json'))).toEqual({
      theme: 'dark',
      apiKeyHelper: 'cat mine',
      forceLoginMethod: 'gateway',
      forceLoginGatewayUrl: 'https://ai.example.org',
    })
    expect(statSync(home.file('.config'), { throwIfNoEntry: false })).toBeUndefined()
    expect((await ctl('claude', '--sign-in', '--json')).stdout).toContain(`${url}/device`)
    expect(home.read('.claude/settings.json')).toContain(JSON.stringify(url))
  })

  test.each([
    { args: ['codex', '--sign-in', '--url', 'https://ai.example.org'], said: 'codex cannot sign in' },
    { args: ['claude', '--sign-in', '--new-key'], said: '--sign-in takes no key' },
    { args: ['claude', '--sign-in', '--url', 'http://ai.example.org'], said: 'over HTTPS' },
  ])('refuses $args', async ({ args, said }) => {
    expect(await ctl(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(said) })
    expect(statSync(home.file('.claude'), { throwIfNoEntry: false })).toBeUndefined()
  })

  test('aider: the list of models is that of the key, and of no key before it', async () => {
    put('.config/gate/keys/aider', 'gate_x\n')
    put('.aider.model.metadata.json', '{ "openai/mine": {} }')
    const listed = () => Object.keys(JSON.parse(home.read('.config/gate/aider-models.json')))
    expect((await ctl('aider')).code).toBe(0)
    expect(listed()).toEqual(['openai/fast', 'openai/plain', 'openai/echo'])
    expect((await ctl('aider', '--model', 'fast')).code).toBe(0)
    expect(listed()).toEqual(['openai/fast'])
    expect(parseYaml(home.read('.aider.conf.yml'))).toMatchObject({
      model: 'openai/fast',
      'model-metadata-file': home.file('.config/gate/aider-models.json'),
    })
    expect(home.read('.aider.model.metadata.json')).toBe('{ "openai/mine": {} }')
  })

  test('--print writes nothing', async () => {
    put('.config/gate/keys/codex', 'gate_x\n')
    put('.codex/config.toml', 'secret = "mine"\n')
    const run = await ctl('codex', '--print')
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('[model_providers.gate]') })
    expect(run.stdout).not.toContain('mine')
    expect(home.read('.codex/config.toml')).toBe('secret = "mine"\n')
  })

  test('all files are written, or none', async () => {
    put('.config/gate/keys/gemini', 'gate_x\n')
    put('.gemini/settings.json', '// mine\n{}')
    const run = await ctl('gemini')
    expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/settings\.json is not changed.*\n.*--print/) })
    expect(statSync(home.file('.gemini/.env'), { throwIfNoEntry: false })).toBeUndefined()
  })

  test('a link stays a link', async () => {
    put('.config/gate/keys/aider', 'gate_x\n')
    put('dotfiles/aider.yml', 'dark-mode: true\n')
    symlinkSync('dotfiles/aider.yml', home.file('.aider.conf.yml'))
    expect((await ctl('aider')).code).toBe(0)
    expect(readFileSync(join(home.path, 'dotfiles/aider.yml'), 'utf8')).toMatch(
      /^dark-mode: true\nopenai-api-base: "http/,
    )
  })

  test('a key of another service that the client would send is named, and kept', async () => {
    put('.config/gate/keys/claude', 'gate_x\n')
    put('.claude/settings.json', '{ "env": { "ANTHROPIC_API_KEY": "sk-mine" } }')
    const run = await ctl('claude')
    expect(run).toMatchObject({ code: 0, stderr: expect.stringContaining('env.ANTHROPIC_API_KEY is taken before') })
    expect(run.stderr + run.stdout).not.toContain('sk-mine')
    expect(JSON.parse(home.read('.claude/settings.json'))).toMatchObject({ env: { ANTHROPIC_API_KEY: 'sk-mine' } })
  })

  test('a key of aider itself that would be sent is named, and kept', async () => {
    put('.config/gate/keys/aider', 'gate_x\n')
    put('.aider.conf.yml', 'openai-api-key: sk-mine\n')
    const run = await ctl('aider')
    expect(run).toMatchObject({ code: 0, stderr: expect.stringContaining('openai-api-key is taken before') })
    expect(home.read('.aider.conf.yml')).toMatch(/^openai-api-key: sk-mine\n/)
  })

  test('what is no file is not read', async () => {
    put('.config/gate/keys/aider', 'gate_x\n')
    execFileSync('mkfifo', [home.file('pipe')])
    symlinkSync('pipe', home.file('.aider.conf.yml'))
    expect(await ctl('aider')).toMatchObject({ code: 1, stderr: expect.stringContaining('not a regular file') })
  })

  test('where the gateway needs no key, a word takes its place', async () => {
    needsKey = false
    expect((await ctl('zed')).code).toBe(0)
    expect(home.read('.config/gate/keys/zed')).toBe('the-gateway-needs-no-key\n')
  })

  test.each([
    { args: ['emacs'], code: 2, says: /unknown client "emacs"[\s\S]*claude, codex/ },
    { args: ['claude'], code: 1, says: /wants a key[\s\S]*gatectl client claude --new-key/ },
    { args: ['claude', '--new-key', '--print'], code: 2, says: /leave one of them out/ },
    { args: ['claude', '--new-key', '--model', 'slow'], code: 2, says: /no model "slow"[\s\S]*fast, plain, echo/ },
    { args: ['claude', '--url', 'gate.example.com'], code: 2, says: /not the address of a gateway/ },
    { args: ['claude', '--url', 'http://127.0.0.1:1'], code: 1, says: /check --url/ },
  ])('refuses $args', async ({ args, code, says }) => {
    const run = await ctl(...args)
    expect(run.stderr).toMatch(says)
    expect(run).toMatchObject({ code, stdout: '' })
  })
})
