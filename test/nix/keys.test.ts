import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { configSchema } from '../../schemas/config/config.ts'
import { keyTree, layerSchema } from '../../schemas/config/keys.ts'
import { specSchema } from '../../schemas/spec/spec.ts'
import { camelCase, snakeCase } from '../../schemas/words/key-names.ts'
import { nixFiles } from '../../scripts/nix-generated.ts'
import type { OptionSchema } from '../../scripts/nix-options.ts'
import { nixPattern } from '../../scripts/nix-pattern.ts'
import { list, nixText, str } from '../../syntax/nix/print.ts'
import { evaluateNix, hasNix, NIX_TESTS } from '../support/nix.ts'

const schemas = [specSchema, layerSchema(keyTree(configSchema))].map(
  (schema) => z.toJSONSchema(schema, { io: 'input' }) as OptionSchema,
)
const below = (schema: OptionSchema): OptionSchema[] => [
  schema,
  ...[
    ...Object.values(schema.properties ?? {}),
    ...(schema.anyOf ?? []),
    ...(schema.items === undefined ? [] : [schema.items]),
    ...(typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : []),
  ].flatMap(below),
]
const all = schemas.flatMap(below)
const keys = [...new Set(all.flatMap(({ properties }) => Object.keys(properties ?? {})))]
const patterns = [...new Set(all.flatMap(({ pattern }) => pattern ?? []))]
const LIB = `import ${NIX_TESTS}/../../nix/lib/keys.nix { inherit (import ${NIX_TESTS}/evaluator.nix) lib; }`
const texts = (values: readonly string[]): string => nixText(list(values.map((value) => str(value))))

describe.skipIf(!hasNix)('keys and values of the options (needs nix-bin)', () => {
  test('every key has one spelling in Nix, that of key-names.ts, and the way back leads to it', () => {
    const spelled = z
      .array(z.object({ camel: z.string(), snake: z.string() }))
      .parse(
        evaluateNix(
          `let keys = ${LIB}; in map (key: rec { camel = keys.camelCase key; snake = keys.snakeCase camel; }) ${texts(keys)}`,
        ),
      )
    expect(spelled).toEqual(keys.map((key) => ({ camel: camelCase(key), snake: key })))
    expect(keys.map((key) => snakeCase(camelCase(key)))).toEqual(keys)
    expect(keys.length).toBeGreaterThan(100)
  })

  test('a text that an option takes is one that the schema takes, and the other way round', () => {
    const pairs = patterns.flatMap((pattern) => {
      const posix = nixPattern(pattern)
      return posix === undefined ? [] : [{ pattern, posix }]
    })
    expect(pairs.length).toBeGreaterThan(8)
    const samples = pairs.map(({ pattern }, seed) => [
      ...fc
        .sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 40, seed })
        .filter((text) => /^[ -~]*$/.test(text)),
      ...fc.sample(fc.string({ unit: fc.constantFrom(...'a-_./:9@[]{} \\sd(*') }), { numRuns: 80, seed }),
    ])
    const matches = evaluateNix(
      `map ({ pattern, samples }: map (text: builtins.match pattern text != null) samples) [ ${pairs
        .map(({ posix }, i) => `{ pattern = ${nixText(str(posix))}; samples = ${texts(samples[i] ?? [])}; }`)
        .join(' ')} ]`,
    )
    expect(matches).toEqual(
      pairs.map(({ pattern }, i) => (samples[i] ?? []).map((text) => new RegExp(pattern).test(text))),
    )
  })

  test('every key of the spec is an option, or is said to be none', () => {
    const options = nixFiles()['gateway-options.nix'] ?? ''
    const [spec] = schemas
    const { gate, ...tables } = spec?.properties ?? {}
    const none = ['$schema', 'instance', 'image', 'keep_generations', 'defaults', 'server', 'upstreams', 'relays']
    const laidOpen = [
      ...Object.keys(tables),
      ...Object.keys(gate?.properties ?? {}),
      ...Object.keys(gate?.properties?.['server']?.properties ?? {}),
    ]
    for (const key of laidOpen)
      expect({ key, isOption: new RegExp(`^  ${camelCase(key)} = `, 'm').test(options) }).toEqual({
        key,
        isOption: !none.includes(key),
      })
    // two tables laid open must not have a key in common
    expect(new Set(laidOpen).size).toBe(laidOpen.length)
  })
})
