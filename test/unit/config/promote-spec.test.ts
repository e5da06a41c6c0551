// What `gatectl config promote --format spec` prints, put into a spec: the compiler takes it, and the declared layer
// then says the same.
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { configSchema } from '../../../schemas/config/config.ts'
import { keyTree, leaves, nodeAt } from '../../../schemas/config/keys.ts'
import { byteCount, durationMs } from '../../../schemas/config/values.ts'
import { specSchema } from '../../../schemas/spec/spec.ts'
import { valueText } from '../../../syntax/toml/text.ts'
import { leafPaths, merge, type Path, type Tree, valueAt, withValue } from '../../../syntax/tree.ts'
import { configPlace } from '../../support/config-place.ts'
import { everyKey } from '../../support/every-key.ts'

const keys = keyTree(configSchema)

/** What is deployed: an upstream, a backend and a model of the names that `everyKey` has, and certificates. */
const BASE: Tree = {
  gate: {
    auth: { oidc: { corp: { issuer: 'https://idp.example.org', client_id: 'gate' } } },
    tls: {
      host: '127.0.0.1',
      files: { cert: '/etc/gate/cert.pem', key: '/etc/gate/key.pem' },
      acme: {
        email: 'admin@example.org',
        domains: ['gate.example.org'],
        eab_kid: 'kid-0',
        eab_hmac: { credential: 'eab' },
        dns: {
          provider: 'rfc2136',
          server: '192.0.2.1:53',
          zone: 'gate.example.org',
          key_name: 'key',
          key_secret: { credential: 'tsig' },
        },
      },
    },
  },
  upstreams: { '42': { provider: 'ollama', base_url: 'http://127.0.0.1:9/v1' } },
  backends: {
    'with-a-dash': {
      engine: 'vllm',
      image: `registry.example.org/vllm@sha256:${'0'.repeat(64)}`,
      model: 'm',
      health: { start_period: '1s' },
      api_key: { credential: 'k' },
    },
  },
  budgets: { b: { limit: '1 USD', window: 'day' } },
  peers: { friend: { node: 'abcdefghijklmnopqrstuvwxyz234567' } },
  alerts: { ops: { kind: 'webhook', url: { credential: 'url' }, secret: { credential: 'sign' } } },
  models: { in: { strategy: 'weighted', targets: [{ upstream: '42', model: 'y' }] } },
}

/** The declared layer of a spec. */
function declaredOf(spec: Tree): Tree {
  const result = compile(JSON.stringify(spec), { targets: ['declared'] })
  if (result.kind === 'refused') return expect.unreachable(JSON.stringify(result.diagnostics, undefined, 2))
  return JSON.parse(result.files.find(({ path }) => path === 'declared/declared.json')?.text ?? '')
}

const toml = (tree: Tree): string =>
  Object.entries(tree)
    .map(([key, value]) => `${key} = ${valueText(value)}\n`)
    .join('')
    .replaceAll('${', () => '$${') // what is a variable in a runtime file otherwise

/** A value in another spelling is the same. */
function plain(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (/^[\d.]+(?:ms|s|m|h|d)$/.test(value)) return durationMs(value)
  return /^[\d.]+[KMGT]?i?B$/.test(value) ? byteCount(value) : value
}

const declared = declaredOf(BASE)
/** Secrets of what is deployed, without which the daemon does not start. */
const CREDENTIALS = { 'alerts.ops.url': 'https://ops.example.org/', 'alerts.ops.secret': 'a secret of sixteen' }
const all = [...leafPaths(everyKey)].map((path): [string, Path] => [path.join('.'), path])

test.each(all)('%s, set alone over what is deployed', (_name, path) => {
  const value = valueAt(everyKey, path)
  const given = { declared, credentials: CREDENTIALS, runtime: toml(withValue({}, path, value)) }
  const snippet = configPlace(given).open().promote('spec')
  const written = parse(snippet)
  const again = declaredOf(merge([written, BASE]))
  const { spec, secret } = nodeAt(keys, path)?.meta ?? expect.unreachable()
  if (typeof spec !== 'string') {
    expect(snippet).toContain(`has no place in the spec: ${spec?.none}`)
    expect(written).toEqual({})
  } else if (secret) expect(snippet).toContain(`{ credential = "${path.join('.')}" }`)
  else expect(plain(valueAt(again, path))).toEqual(plain(value))
})

test('every key at once, with nothing deployed, is a spec that compiles', () => {
  const { backends: _, ...runtime } = everyKey
  const written = parse(
    configPlace({ runtime: toml(runtime), credentials: CREDENTIALS })
      .open()
      .promote('spec'),
  )
  expect(Object.keys(written).sort()).toEqual([
    'alerts',
    'budgets',
    'categories',
    'gate',
    'limits',
    'models',
    'peers',
    'relay',
    'upstreams',
  ])
  declaredOf(written)
})

test.each([
  {
    name: 'a port that is picked',
    runtime: { server: { port: 0 } },
    written: { gate: { server: { port: 'random' } } },
  },
  {
    name: 'a provider that the name gives',
    runtime: { upstreams: { groq: { timeout: '9s' } } },
    written: { upstreams: { groq: { timeout: '9s', provider: 'groq' } } },
  },
  {
    name: 'a target that is a backend',
    runtime: { models: { m: { targets: [{ upstream: 'with-a-dash' }] } } },
    written: { models: { m: { targets: [{ backend: 'with-a-dash' }] } } },
  },
  { name: 'no certificates', runtime: { letsencrypt: { enabled: false, staging: true } }, written: {} },
  {
    name: 'a backend that is not deployed',
    runtime: { backends: { other: { provider: 'custom', base_url: 'http://127.0.0.1:9/v1', max_waiting: 3 } } },
    written: {},
  },
])('$name', ({ runtime, written }) => {
  const snippet = configPlace({ declared, credentials: CREDENTIALS, runtime: toml(runtime as Tree) })
    .open()
    .promote('spec')
  expect(parse(snippet)).toEqual(written)
  declaredOf(merge([parse(snippet), BASE]))
})

test('every key says where it is in the spec, and it is there', () => {
  const reference = specSchema.toJSONSchema({ io: 'input' })
  for (const [path, { meta }] of leaves(keys)) {
    expect({ path, spec: meta.spec }).toEqual({ path, spec: expect.anything() })
    if (typeof meta.spec === 'string')
      expect({ path, at: schemaAt(reference, meta.spec.split('.')) }).toEqual({ path, at: expect.anything() })
  }
})

function schemaAt(schema: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return schema
  const { properties, additionalProperties } = schema as { properties?: Tree; additionalProperties?: unknown }
  return schemaAt(step === '*' ? additionalProperties : properties?.[step], rest)
}
