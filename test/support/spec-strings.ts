import { z } from 'zod'
import type { SpecPath } from '../../schemas/spec/path.ts'
import { specSchema } from '../../schemas/spec/spec.ts'

/**
 * A place of the spec where people write text: `backends.<name>.args[]`. A name of theirs ends with `<name>`, the text
 * it stands for with `<name>=`.
 */
export type StringKey = {
  readonly key: string
  /** The text stands for a number: a duration or a size. */
  readonly isNumber: boolean
}

/** A text in a spec. */
export type Written = { readonly key: string; readonly path: SpecPath; readonly text: string; readonly isName: boolean }

/** Every text and every free name of the schema, so that a new one cannot be forgotten. */
export function stringKeys(): StringKey[] {
  return specKeys().flatMap(({ key, schema }) =>
    schema === undefined || isText(schema) ? [{ key, isNumber: schema !== undefined && standsForNumber(schema) }] : [],
  )
}

/** A place that holds a number, as a number or as a text. */
export type NumberKey = { readonly key: string; readonly kind: 'number' | 'duration' | 'size' | 'money' }

/** Every place of the schema that holds a number. */
export function numberKeys(): NumberKey[] {
  return specKeys().flatMap(({ key, schema }): NumberKey[] => {
    if (schema instanceof z.ZodNumber) return [{ key, kind: 'number' }]
    if (schema === undefined || !isText(schema) || !standsForNumber(schema)) return []
    const takes = (text: string) => schema.safeParse(text).success
    return [
      { key, kind: takes('10s') || takes('10d') ? 'duration' : takes('10MiB') || takes('1GiB') ? 'size' : 'money' },
    ]
  })
}

/** Every text and every free name that a spec has. */
export function writtenIn(spec: unknown): Written[] {
  return textsIn(specSchema, spec, '', [])
}

/** The spec, or what a reader made of it, with other texts in place of whole texts and names. */
export function replaced(tree: unknown, replace: (text: string) => string): unknown {
  if (typeof tree === 'string') return replace(tree)
  if (Array.isArray(tree)) return tree.map((inner) => replaced(inner, replace))
  if (typeof tree !== 'object' || tree === null) return tree
  return Object.fromEntries(Object.entries(tree).map(([key, inner]) => [replace(key), replaced(inner, replace)]))
}

/** What `[defaults.backend]` says is put into backends before anything else reads it. */
const specKeys = (): Leaf[] => keysIn(specSchema, '').filter(({ key }) => !key.startsWith('defaults.'))

/** Leaves of the schema; a free name has none. */
type Leaf = { readonly key: string; readonly schema: z.ZodType | undefined }

function keysIn(schema: z.ZodType, key: string): Leaf[] {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodObject)
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([name, one]) =>
      keysIn(one, below(key, name)),
    )
  if (inner instanceof z.ZodRecord) {
    const valueType = inner.def.valueType as z.ZodType
    const name = { key: `${key}.<name>`, schema: undefined }
    return [name, ...keysIn(valueType, valueKey(valueType, name.key))]
  }
  if (inner instanceof z.ZodArray) return keysIn(inner.def.element as z.ZodType, `${key}[]`)
  if (inner instanceof z.ZodUnion) {
    const found = inner.options.flatMap((one) => keysIn(one as z.ZodType, key))
    return [...new Map(found.map((one) => [one.key, one])).values()]
  }
  return [{ key, schema: inner }]
}

function textsIn(schema: z.ZodType, value: unknown, key: string, path: SpecPath): Written[] {
  const inner = unwrap(schema)
  if (typeof value === 'string') return isText(inner) ? [{ key, path, text: value, isName: false }] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, one]): Written[] => {
    if (inner instanceof z.ZodArray)
      return textsIn(inner.def.element as z.ZodType, one, `${key}[]`, [...path, Number(name)])
    if (inner instanceof z.ZodObject) {
      const next = (inner.shape as Record<string, z.ZodType>)[name]
      return next === undefined ? [] : textsIn(next, one, below(key, name), [...path, name])
    }
    if (inner instanceof z.ZodRecord) {
      const own = { key: `${key}.<name>`, path: [...path, name], text: name, isName: true }
      const valueType = inner.def.valueType as z.ZodType
      return [own, ...textsIn(valueType, one, valueKey(valueType, own.key), own.path)]
    }
    const option =
      inner instanceof z.ZodUnion
        ? inner.options.find((each) => (each as z.ZodType).safeParse(value).success)
        : undefined
    return option === undefined ? [] : textsIn(option as z.ZodType, { [name]: one }, key, path)
  })
}

const below = (key: string, name: string): string => (key === '' ? name : `${key}.${name}`)

/** In a map of texts the name and its text are two places. */
const valueKey = (value: z.ZodType, name: string): string => (isText(unwrap(value)) ? `${name}=` : name)

const isText = (schema: z.ZodType): boolean => schema instanceof z.ZodString || schema instanceof z.ZodStringFormat

function standsForNumber(schema: z.ZodType): boolean {
  const accepts = (text: string): boolean => schema.safeParse(text).success
  return ['10s', '10d', '10MiB', '1GiB', '10 USD'].some(accepts) && !accepts('x')
}

/** The schema inside optional, default and prefault. */
function unwrap(schema: z.ZodType): z.ZodType {
  let current = schema
  while (current instanceof z.ZodOptional || current instanceof z.ZodDefault || current instanceof z.ZodPrefault)
    current = current.def.innerType as z.ZodType
  return current
}
