import { z } from 'zod'
import type { SpecPath } from '../../schemas/spec/path.ts'
import { specSchema } from '../../schemas/spec/spec.ts'

/** The schema of the value at a path, or undefined when there is no such path. */
export function schemaAt(schema: z.ZodType, path: SpecPath): z.ZodType | undefined {
  let current: z.ZodType | undefined = schema
  for (const step of path) {
    if (current === undefined) return undefined
    current = below(unwrap(current), step)
  }
  return current
}

/** What the schema says about the value at a path. */
export function metaAt(schema: z.ZodType, path: SpecPath): { description: string | undefined; isSecret: boolean } {
  const at = schemaAt(schema, path)
  const { description, secret } = at?.meta() ?? (at === undefined ? {} : (unwrap(at).meta() ?? {}))
  return { description, isSecret: secret === true }
}

/** Whether the table at the path of a spec has names that people give, instead of keys. */
export function holdsNames(path: SpecPath): boolean {
  const at = schemaAt(specSchema, path)
  return at !== undefined && unwrap(at) instanceof z.ZodRecord
}

/** Names of the keys that an object at the path may have. */
export function keysBelow(schema: z.ZodType, path: SpecPath): string[] {
  const at = schemaAt(schema, path)
  if (at === undefined) return []
  const inner = unwrap(at)
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : []
}

/** The schema inside optional, default and prefault. */
function unwrap(schema: z.ZodType): z.ZodType {
  let current = schema
  while (current instanceof z.ZodOptional || current instanceof z.ZodDefault || current instanceof z.ZodPrefault)
    current = current.def.innerType as z.ZodType
  return current
}

function below(schema: z.ZodType, step: string | number): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) return (schema.shape as Record<string, z.ZodType>)[String(step)]
  if (schema instanceof z.ZodRecord) return schema.def.valueType as z.ZodType
  if (schema instanceof z.ZodArray) return schema.def.element as z.ZodType
  return undefined
}

/** What the schema of the spec says about the key at a path. */
export function describeKey(path: SpecPath): string | undefined {
  return metaAt(specSchema, path).description
}
