import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configSchema } from '../../../schemas/config/config.ts'
import { type KeyNode, keyTree, layerSchema, leaves, nodeAt } from '../../../schemas/config/keys.ts'
import { ipPattern } from '../../../schemas/words/address.ts'
import { withTargetTables } from '../../../schemas/words/target-text.ts'
import { withValue } from '../../../syntax/tree.ts'

const tree = keyTree(configSchema)
const zodSchema = layerSchema(tree)
const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true })
addFormats.default(ajv)
const ajvSchema = ajv.compile(
  JSON.parse(readFileSync(join(import.meta.dirname, '../../../schemas/json/config.json'), 'utf8')) as object,
)

const accepts = (value: unknown) => ({
  zod: zodSchema.safeParse(withTargetTables(value)).success,
  ajv: ajvSchema(value),
})

const good: readonly unknown[] = [
  {},
  { server: {} },
  {
    server: {
      host: '::',
      port: 0,
      allow_from: ['10.0.0.0/8', '::1', 'fd00::/8', '::ffff:1.2.3.4'],
      max_body: '1.5GiB',
    },
  },
  { auth: { mode: 'none', token: 'x'.repeat(16), jwt: { secret: 'your-secret-here', expiration_hours: 0.5 } } },
  {
    upstreams: {
      'llama-cpp': { timeout: '1ms' },
      openai: { api_key: 'sk-1', models: ['a'] },
      a: { provider: 'custom', base_url: 'http://[::1]:1/v1' },
    },
  },
  { models: { 'gpt-4.1': { targets: ['openai/gpt-4.1', 'box'] }, 'org/Model:7b': { targets: ['a/b/c'] } } },
  { models: { fast: { strategy: 'weighted' }, slow: { targets: [{ upstream: 'a', weight: 0.1 }], category: 'c' } } },
  {
    letsencrypt: { email: 'me@example.org', domains: ['a'] },
    relay: { custom_domain: 'my-server' },
    log: { format: 'json' },
  },
]
const bad: readonly unknown[] = [
  null,
  [],
  { servers: {} },
  { models: { a: { targets: [''] } } },
  { models: { a: { targets: ['/x'] } } },
  { models: { a: { targets: ['x/'] } } },
  { models: { a: { targets: ['X Y/z'] } } },
  { models: { 'a\tb': {} } },
  { models: { '': {} } },
  { models: { ['x'.repeat(201)]: {} } },
  { server: [] },
  { server: { port: '3000' } },
  { server: { port: 1.5 } },
  { server: { port: 65_536 } },
  { server: { host: '' } },
  { server: { allow_from: ['999.1.1.1/99'] } },
  { server: { allow_from: ['10.0.0.0/33'] } },
  { server: { allow_from: ['::/129'] } },
  { server: { allow_from: ['1::2::3'] } },
  { server: { allow_from: '10.0.0.0/8' } },
  { server: { max_body: '32 MiB' } },
  { server: { headers_timeout: '5' } },
  { server: { headers_timeout: '0s' } },
  { server: { body_timeout: '0.0m' } },
  { server: { stall_timeout: '00ms' } },
  { upstreams: { a: { timeout: '0s' } } },
  { upstreams: { a: { connect_timeout: '0h' } } },
  { server: { max_connections: 0 } },
  { auth: { mode: 'off' } },
  { auth: { token: 'short' } },
  { auth: { token: '' } },
  { auth: { token: 'with a space in the middle' } },
  { auth: { jwt: { secret: 'short' } } },
  { auth: { jwt: { expiration_hours: 0 } } },
  { upstreams: { 'Not A Name': {} } },
  { upstreams: { a__b: {} } },
  { upstreams: { ['x'.repeat(64)]: {} } },
  { upstreams: { a: { api_key: '' } } },
  { upstreams: { a: { api_key: 'line\nbreak' } } },
  { upstreams: { a: { base_url: 'ftp://x' } } },
  { upstreams: { a: { base_url: 'http://user@x/v1' } } },
  { upstreams: { a: { provider: 'opnai' } } },
  { models: { a: { targets: [] } } },
  { models: { a: { targets: [{ model: 'm' }] } } },
  { models: { a: { targets: [{ upstream: 'x', weight: 0 }] } } },
  { models: { a: { targets: [{ upstream: 'x', extra: 1 }] } } },
  { letsencrypt: { email: 'me' } },
  { relay: { custom_domain: '-x' } },
]

test.each(good.map((value) => ({ value, shown: JSON.stringify(value) })))('zod and ajv accept $shown', ({ value }) => {
  expect(accepts(value)).toEqual({ zod: true, ajv: true })
})

test.each(bad.map((value) => ({ value, shown: JSON.stringify(value) })))('zod and ajv refuse $shown', ({ value }) => {
  expect(accepts(value)).toEqual({ zod: false, ajv: false })
})

test('every default is accepted where it stands', () => {
  for (const [path, leaf] of leaves(tree)) {
    if (leaf.fallback === undefined) continue
    const layer = withValue(
      {},
      path.map((step) => (step === '*' ? 'name' : step)),
      leaf.fallback,
    )
    expect(accepts(layer)).toEqual({ zod: true, ajv: true })
  }
})

test('no key is without a description', () => {
  expect([...leaves(tree)].filter(([, leaf]) => leaf.meta.description === '')).toEqual([])
})

test('no key that waits for a restart is under a name that people give', () => {
  expect([...leaves(tree)].filter(([path, leaf]) => leaf.meta.restart && path.includes('*'))).toEqual([])
})

const texts = fc.oneof(
  fc.constantFrom(
    '10s',
    '1.5h',
    '1 s',
    '32MiB',
    '10.0.0.0/8',
    '::1',
    '1.2.3.4.5',
    'token',
    'echo',
    'custom',
    'me@x.org',
    'a-b',
    'http://a/v1',
    'debug',
    '',
  ),
  fc.string({ maxLength: 20 }),
  fc.ipV6(),
  fc.emailAddress(),
  fc.webUrl(),
)
const anything = fc.oneof(
  texts,
  fc.integer({ min: -1, max: 70_000 }),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(texts, { maxLength: 3 }),
  fc.record({ upstream: texts, model: texts, weight: fc.double() }, { requiredKeys: [] }).map((target) => [target]),
  fc.dictionary(fc.constantFrom('a', 'timeout', 'upstream'), texts, { maxKeys: 2 }),
)
const step = (node: KeyNode): fc.Arbitrary<string> =>
  node.kind === 'group'
    ? fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...node.fields.keys()) },
        { weight: 1, arbitrary: fc.constantFrom('typo', 'port', 'constructor') },
      )
    : fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom('a', 'openai', 'llama-cpp') },
        { weight: 1, arbitrary: fc.string({ maxLength: 5 }).filter((name) => name !== '__proto__') },
      )
const pathUnder = (node: KeyNode): fc.Arbitrary<string[]> =>
  node.kind === 'leaf'
    ? fc.constant([])
    : step(node).chain((name) => {
        const below = node.kind === 'map' ? node.entry : node.fields.get(name)
        return below === undefined ? fc.constant([name]) : pathUnder(below).map((rest) => [name, ...rest])
      })

test('zod and ajv agree about good configurations with random changes', () => {
  const seen = { true: 0, false: 0 }
  const objects = good.filter((value): value is Record<string, unknown> => typeof value === 'object' && value !== null)
  fc.assert(
    fc.property(
      fc.constantFrom(...objects),
      fc.array(fc.tuple(pathUnder(tree), anything, fc.boolean()), { minLength: 1, maxLength: 2 }),
      (start, changes) => {
        const value = changes.reduce((config, [path, change, isDefault]) => {
          const node = nodeAt(tree, path)
          const fallback = node?.kind === 'leaf' && isDefault ? node.fallback : undefined
          return withValue(config, path, fallback ?? change)
        }, start)
        const answer = accepts(value)
        seen[`${answer.zod}`] += 1
        expect(answer.ajv).toBe(answer.zod)
      },
    ),
    { numRuns: 4000 },
  )
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(200)
})

test('the pattern of addresses agrees with the one of Node', () => {
  const pieces = fc.array(fc.constantFrom(':', '::', '1', 'abcd', '0', '1.2.3.4', '.', '255', '256', 'g'), {
    maxLength: 14,
  })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        pieces.map((parts) => parts.join('')),
      ),
      (text) => {
        expect(ipPattern.test(text)).toBe(isIP(text) !== 0)
      },
    ),
    { numRuns: 10_000 },
  )
})
