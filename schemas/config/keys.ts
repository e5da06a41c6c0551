import { z } from 'zod'
import type { KeyMeta, SpecKey } from './values.ts'

/**
 * The keys of a schema as a tree that tools walk: explain, environment names, the reference page, the editors' schema.
 * group: a table with fixed keys. map: a table whose keys are names that people give. leaf: a value.
 */
export type KeyNode = Group | NamedMap | Leaf
export type Group = { readonly kind: 'group'; readonly fields: ReadonlyMap<string, KeyNode>; readonly meta: KeyMeta }
export type NamedMap = {
  readonly kind: 'map'
  readonly name: z.core.$ZodRecordKey
  readonly entry: KeyNode
  /** Entries that exist without being written. */
  readonly fallback: unknown
  readonly meta: KeyMeta
}
export type Leaf = {
  readonly kind: 'leaf'
  /** Without default and optionality. */
  readonly schema: z.ZodType
  /** words: one text, or a list of texts. */
  readonly holds: 'string' | 'number' | 'boolean' | 'list' | 'words'
  /** undefined when the key may be absent. */
  readonly fallback: unknown
  readonly meta: KeyMeta
}

/**
 * Reads the tree off a schema made of objects, records and values.
 * @param within the key of the spec that the table around it represents
 * @throws TypeError for any other composition
 */
export function keyTree(schema: z.core.$ZodType, within?: SpecKey): KeyNode {
  const { inner, fallback, meta: own } = unwrap(schema)
  const spec = own.spec ?? within
  const meta: KeyMeta = spec === undefined ? own : { ...own, spec }
  if (inner instanceof z.ZodObject) {
    const fields = Object.entries(inner.shape as Record<string, z.core.$ZodType>)
    return {
      kind: 'group',
      fields: new Map(fields.map(([name, field]) => [name, keyTree(field, inside(spec, name))])),
      meta,
    }
  }
  if (inner instanceof z.ZodRecord)
    return { kind: 'map', name: inner.keyType, entry: keyTree(inner.valueType, inside(spec, '*')), fallback, meta }
  if (inner instanceof z.ZodType) return { kind: 'leaf', schema: inner, holds: holds(inner), fallback, meta }
  throw new TypeError('a configuration schema is made of objects, records and values')
}

/** The key of the spec inside of a table: the same name there, unless the table has none. */
function inside(spec: SpecKey | undefined, name: string): SpecKey | undefined {
  return typeof spec === 'string' ? `${spec}.${name}` : spec
}

/** The node at a path, names included (`upstreams`, any name, `api_key`); undefined when there is no such key. */
export function nodeAt(tree: KeyNode, path: readonly string[]): KeyNode | undefined {
  let node: KeyNode | undefined = tree
  for (const step of path) {
    if (node?.kind === 'map') node = z.safeParse(node.name, step).success ? node.entry : undefined
    else node = node?.kind === 'group' ? node.fields.get(step) : undefined
  }
  return node
}

/** The words that a key takes; empty where anything may be written. */
export function optionsOf({ schema }: Leaf): readonly string[] {
  const written: readonly z.core.$ZodType[] = schema instanceof z.ZodUnion ? schema.options : [schema]
  return written.flatMap((one) => (one instanceof z.ZodEnum ? one.options.map(String) : []))
}

/** Every leaf with its path; a name that people give is `*`. */
export function* leaves(node: KeyNode, path: readonly string[] = []): Generator<[readonly string[], Leaf]> {
  if (node.kind === 'leaf') yield [path, node]
  else if (node.kind === 'map') yield* leaves(node.entry, [...path, '*'])
  else for (const [name, field] of node.fields) yield* leaves(field, [...path, name])
}

/**
 * The schema of one layer: like the whole, but every key may be absent, because another layer may hold it.
 * Lists are values that replace each other, so what is inside them stays as it is.
 */
export function layerSchema(node: KeyNode): z.ZodType {
  if (node.kind === 'leaf') return node.schema.meta(described(node.meta, node.fallback))
  if (node.kind === 'map') return z.record(node.name, layerSchema(node.entry)).meta(described(node.meta, undefined))
  const fields = [...node.fields].map(([name, field]) => [name, layerSchema(field).optional()] as const)
  return z.strictObject(Object.fromEntries(fields)).meta(described(node.meta, undefined))
}

/** What the standard says about a key: `writeOnly` for secrets, and when a change is felt. */
function described(meta: KeyMeta, fallback: unknown): Record<string, unknown> {
  const description = meta.restart ? `${meta.description} A change takes effect at the next restart.` : meta.description
  return {
    ...(description === '' ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(meta.secret ? { writeOnly: true } : {}),
  }
}

function unwrap(schema: z.core.$ZodType): { inner: z.core.$ZodType; fallback: unknown; meta: KeyMeta } {
  let inner = schema
  let fallback: unknown
  let meta: KeyMeta = { description: '' }
  for (;;) {
    // The outer description wins over that of what it wraps.
    meta = { ...(z.globalRegistry.get(inner) as Partial<KeyMeta> | undefined), ...withoutEmpty(meta) } as KeyMeta
    if (inner instanceof z.ZodDefault) fallback = inner.def.defaultValue
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional)
      inner = inner.unwrap()
    else return { inner, fallback, meta: { ...meta, description: meta.description ?? '' } }
  }
}

function withoutEmpty(meta: KeyMeta): Partial<KeyMeta> {
  return meta.description === '' ? {} : meta
}

function holds(schema: z.ZodType): Leaf['holds'] {
  if (schema instanceof z.ZodUnion && schema.options.some((option) => option instanceof z.ZodArray)) return 'words'
  if (schema instanceof z.ZodArray) return 'list'
  if (schema instanceof z.ZodBoolean) return 'boolean'
  if (schema instanceof z.ZodNumber) return 'number'
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum || schema instanceof z.ZodEmail) return 'string'
  throw new TypeError(`no rule for reading ${schema.constructor.name} from the environment`)
}
