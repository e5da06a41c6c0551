import fc from 'fast-check'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { ConfigError } from '../../../config/problems.ts'
import { promoted } from '../../../config/promote.ts'
import { configSchema } from '../../../schemas/config/config.ts'
import { keyTree } from '../../../schemas/config/keys.ts'
import { camelCase, snakeCase } from '../../../schemas/words/key-names.ts'
import { isTree, type Tree, withValue } from '../../../syntax/tree.ts'
import { configPlace } from '../../support/config-place.ts'
import { hasNix, runNix } from '../../support/nix.ts'

const tree = keyTree(configSchema)
/** What starts an expression inside a text of Nix. */
const OPEN = '$' + '{'
const RUNTIME = `[server]
p2p_port = 5000
allow_from = ["10.0.0.0/8"]
[upstreams.llama-cpp]
base_url = "http://127.0.0.1:9/v1"
api_key = "sk-canary"
[upstreams.42]
provider = "ollama"
[models.in]
targets = [{ upstream = "llama-cpp", model = "a $${OPEN}b} \\"c\\" \\\\ d", weight = 0.5 }]
[letsencrypt]
enabled = false
email = "me@example.org"
`

test('prints the assignments for NixOS, without secrets', () => {
  const lines = configPlace({ runtime: RUNTIME }).open().promote('nix').split('\n')
  expect(lines).toEqual([
    'services.gate-daemon.settings.server.p2pPort = 5000;',
    'services.gate-daemon.settings.server.allowFrom = [ "10.0.0.0/8" ];',
    'services.gate-daemon.settings.upstreams."42".provider = "ollama";',
    'services.gate-daemon.settings.upstreams.llama-cpp.baseUrl = "http://127.0.0.1:9/v1";',
    '# upstreams.llama-cpp.api_key is a secret: put GATE_UPSTREAMS__LLAMA_CPP__API_KEY=… into the file that environmentFile names',
    `services.gate-daemon.settings.models."in".targets = [ { upstream = "llama-cpp"; model = "a \\${OPEN}b} \\"c\\" \\\\ d"; weight = 0.5; } ];`,
    'services.gate-daemon.settings.letsencrypt.enabled = false;',
    'services.gate-daemon.settings.letsencrypt.email = "me@example.org";',
    '',
  ])
})

test('prints the tables for the spec, with references for secrets', () => {
  const text = configPlace({ runtime: RUNTIME }).open().promote('spec')
  expect(parse(text)).toEqual({
    gate: {
      server: { p2p_port: 5000, allow_from: ['10.0.0.0/8'] },
    },
    upstreams: {
      '42': { provider: 'ollama' },
      'llama-cpp': {
        provider: 'llama-cpp', // the configuration takes it from the name, the spec wants it written
        base_url: 'http://127.0.0.1:9/v1',
        api_key: { credential: 'upstreams.llama-cpp.api_key' },
      },
    },
    models: { in: { targets: [{ upstream: 'llama-cpp', model: `a ${OPEN}b} "c" \\ d`, weight: 0.5 }] } },
  })
})

test('says as a comment what the spec has no place for', () => {
  const text = configPlace({ runtime: RUNTIME }).open().promote('spec')
  expect(text.split('\n').filter((line) => line.startsWith('#'))).toEqual([
    '# letsencrypt.enabled has no place in the spec: certificates are asked for where the spec has gate.tls.acme',
    '# letsencrypt.email has no place in the spec: its table gate.tls.acme asks for certificates, and needs email and domains',
  ])
})

test('prints nothing when the runtime layer says nothing', () => {
  expect(configPlace().open().promote('nix')).toBe('')
  expect(configPlace().open().promote('spec')).toBe('')
})

test('refuses a text that Nix cannot hold', () => {
  expect(() => promoted('nix', tree, { relay: { addresses: ['a\0b'] } })).toThrow(ConfigError)
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '$',
        '{',
        '}',
        '"',
        '\\',
        "'",
        '\n',
        '\r',
        '\t',
        `$${OPEN}`,
        `${OPEN}x}`,
        'ä',
        '\u2028',
        '\u007f',
        '\u0001',
      ),
    )
    .map((parts) => parts.join('')),
)
const text = anyText.filter((value) => !value.includes('\0') && value.isWellFormed())
const name = fc.stringMatching(/^[a-z0-9]{1,5}([_-][a-z0-9]{1,4}){0,2}$/)
const runtime = fc
  .record({
    names: fc.uniqueArray(fc.oneof(name, fc.constantFrom('in', 'or', 'let', 'null', 'true', '0', 'a-b')), {
      minLength: 1,
      maxLength: 4,
    }),
    texts: fc.array(text, { maxLength: 5 }),
    port: fc.integer({ min: 0, max: 65_535 }),
    // Nix prints six digits of a number.
    weight: fc.oneof(
      fc.integer({ min: 1, max: 999_999 }),
      fc.integer({ min: 1, max: 999_999 }).map((thousandths) => thousandths / 1000),
      fc.constantFrom(1e-7, 2.5e-9),
    ),
    enabled: fc.boolean(),
  })
  .map(({ names, texts, port, weight, enabled }) => {
    const start: Tree = { server: { p2p_port: port, allow_from: texts }, log: { level: texts[0] ?? 'info' } }
    return names.reduce<Tree>((config, each) => {
      const entry = { base_url: texts.join(), enabled, idle_timeout: '1s' }
      const targets = [{ upstream: each, model: texts[0] ?? 'm', weight }]
      return withValue(withValue(config, ['upstreams', each], entry), ['models', each, 'targets'], targets)
    }, start)
  })

test.skipIf(!hasNix)(
  'F1 every snippet evaluates in Nix to what the runtime layer says, without a word on standard error (needs nix-bin)',
  () => {
    const samples = fc.sample(runtime, { numRuns: 150, seed: 11 })
    const expression = `[ ${samples.map((sample) => `({ ${promoted('nix', tree, sample)} }.services.gate-daemon.settings)`).join('\n')} ]`
    const run = runNix(['--eval', '--strict', '--json', '-'], expression)
    expect(run.stderr).toBe('')
    const evaluated = JSON.parse(run.stdout) as unknown[]
    expect(evaluated.map((value) => renamed(value, snakeCase))).toEqual(samples)
    // The declared file may be spelled as Nix spells it.
    expect(renamed(samples[0], camelCase)).toEqual(evaluated[0])
  },
  60_000,
)

test('what nix prints is the declared layer that says the same', () => {
  const first = configPlace({
    runtime: '[server]\np2p_port = 5\n[upstreams.a_b]\nprovider = "ollama"\nidle_timeout = "2s"\n',
  }).open()
  const second = configPlace({
    declared: { server: { p2pPort: 5 }, upstreams: { a_b: { provider: 'ollama', idleTimeout: '2s' } } },
  }).open()
  expect(second.current()).toEqual(first.current())
})

/** Renames the keys of a configuration, but not the names of upstreams and models. */
function renamed(value: unknown, rename: (key: string) => string, isMap = false): unknown {
  if (Array.isArray(value)) return value.map((element) => renamed(element, rename))
  if (!isTree(value)) return value
  const entries = Object.entries(value).map(([key, inner]) => [
    isMap ? key : rename(key),
    renamed(inner, rename, !isMap && (key === 'upstreams' || key === 'models')),
  ])
  return Object.fromEntries(entries) as unknown
}
