import fc from 'fast-check'
import { type CompileOptions, compile } from '../../compiler/compile.ts'
import type { OutputFile } from '../../compiler/emit/output.ts'
import { harmlessSpec, WAYS, type Way } from './harmless-spec.ts'
import { type NumberKey, numberKeys } from './spec-strings.ts'

/** A spec that the compiler accepts after one of its numbers was set to an odd one. */
export type Mutant = {
  /** `backends.zqown.memory = "0MiB"` */
  readonly change: string
  readonly files: readonly OutputFile[]
}

/**
 * Numbers at the ends of what somebody may write: nothing, the smallest, fractions, powers of two, more than any unit
 * holds.
 */
const ODD: Readonly<Record<NumberKey['kind'], readonly unknown[]>> = {
  number: [0, 1, 2, 15, 16, 0.0001, 0.001, 0.01, 0.1, 0.5, 1.5, 2.7, 64, 100, 1000, 65_535, 65_536].concat([
    1_000_000,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 53 - 1,
    1e-7,
    1e9,
    1e21,
    -1,
  ]),
  duration: [
    '0s',
    '1ms',
    '999ms',
    '1s',
    '2s',
    '90s',
    '7d',
    '1.5h',
    '1m',
    '36h',
    '365d',
    '8760h',
    '1000000h',
    '99999999h',
    '99999999999h',
  ],
  size: [
    '0B',
    '0MiB',
    '1B',
    '1KiB',
    '4095B',
    '1MiB',
    '2MiB',
    '1.5GiB',
    '64MiB',
    '1TiB',
    '1024TiB',
    '99999TiB',
    '99999999TiB',
    '1MB',
  ],
  money: ['0 USD', '0.01 USD', '99999999999 USD'],
}

/** At most as many mutants, over all numbers that say something in the files; the same ones for the same seed. */
export function mutants(count: number, seed: number, options: CompileOptions): Mutant[] {
  const before = new Map(WAYS.map((way) => [way, harmlessFiles(way, options)]))
  const places = shuffled(numberPlaces(), seed).map((place, i) => ({
    ...place,
    values: shuffled(ODD[place.kind], seed + i),
  }))
  const longest = Math.max(...places.map(({ values }) => values.length))
  // one value of each place, then the second of each, and so on: a small sample still has most keys
  const changes = Array.from({ length: longest }, (_, i) =>
    places.flatMap(({ values, ...place }) => values.slice(i, i + 1).map((value) => ({ ...place, value }))),
  ).flat()
  const found: Mutant[] = []
  for (const { way, path, value } of changes) {
    if (found.length === count) break
    const result = compile(JSON.stringify(withValue(harmlessSpec(way), path, value)), options)
    if (result.kind === 'refused' || isUnchanged(result.files, before.get(way) ?? [])) continue
    found.push({ change: `${path.join('.')} = ${JSON.stringify(value)}`, files: result.files })
  }
  return found
}

type Place = { readonly way: Way; readonly path: readonly string[]; readonly kind: NumberKey['kind'] }

/** Every place of the harmless specs for a number, each once. */
function numberPlaces(): Place[] {
  const all = numberKeys().flatMap(({ key, kind }) =>
    WAYS.flatMap((way) => placesOf(key, harmlessSpec(way)).map((path) => ({ way, path, kind }))),
  )
  return [...new Map(all.toReversed().map((place) => [place.path.join('.'), place])).values()]
}

function harmlessFiles(way: Way, options: CompileOptions): readonly OutputFile[] {
  const result = compile(JSON.stringify(harmlessSpec(way)), options)
  if (result.kind === 'refused') throw new Error('the harmless spec does not compile')
  return result.files
}

const isUnchanged = (files: readonly OutputFile[], before: readonly OutputFile[]): boolean =>
  files.length === before.length &&
  files.every(({ path, text }, i) => before[i]?.path === path && before[i].text === text)

const shuffled = <T>(values: readonly T[], seed: number): T[] =>
  fc.sample(fc.shuffledSubarray([...values], { minLength: values.length }), { numRuns: 1, seed })[0] ?? []

/** Where a key of the schema is in this spec: once for each name that the spec has. */
function placesOf(key: string, spec: unknown): string[][] {
  if (key.includes('[]')) return []
  const steps = key.split('.')
  const at = steps.indexOf('<name>')
  if (at === -1) return [steps]
  const parent = steps.slice(0, at).reduce<unknown>((tree, step) => (tree as Record<string, unknown>)?.[step], spec)
  return Object.keys(parent ?? {}).map((name) => [...steps.slice(0, at), name, ...steps.slice(at + 1)])
}

function withValue(tree: unknown, [step = '', ...rest]: readonly string[], value: unknown): unknown {
  const inner = (tree ?? {}) as Record<string, unknown>
  return { ...inner, [step]: rest.length === 0 ? value : withValue(inner[step], rest, value) }
}
