import { isRecord, type JsonRecord, recordIn } from '../json-value.ts'
import { camelIn } from './camel.ts'

/**
 * A schema of OpenAPI's, as Google's own fields have it, as a JSON Schema: types in small letters, numbers that came as
 * texts, `nullable` as a type.
 */
export function jsonSchemaOf(schema: unknown): JsonRecord {
  const { type, nullable, properties, items, anyOf, propertyOrdering, example: __, ...rest } = camelIn(schema)
  const name = typeof type === 'string' ? type.toLowerCase() : type
  return {
    ...(name !== undefined &&
      name !== 'type_unspecified' && { type: nullable === true ? [name, 'null'].flat() : name }),
    ...Object.fromEntries(
      Object.entries(rest).map(([key, value]) => [key, NUMBERS.has(key) ? numberOf(value) : value]),
    ),
    ...(nullable !== undefined && typeof nullable !== 'boolean' && { nullable }),
    ...(rest['enum'] !== undefined && nullable === true && { enum: [...listOf(rest['enum']), null] }),
    ...(properties !== undefined && {
      properties: isRecord(properties) ? mapped(ordered(properties, propertyOrdering), innerOf) : properties,
    }),
    ...(items !== undefined && { items: innerOf(items) }),
    ...(anyOf !== undefined && { anyOf: Array.isArray(anyOf) ? anyOf.map(innerOf) : anyOf }),
  }
}

/** JSON Schema has the order of properties, and nothing besides. */
function ordered(properties: JsonRecord, ordering: unknown): JsonRecord {
  const first = listOf(ordering).filter((name) => typeof name === 'string' && Object.hasOwn(properties, name))
  if (first.length === 0) return properties
  return { ...Object.fromEntries(first.map((name) => [name, properties[String(name)]])), ...properties }
}

/** What is wrong stays so: the upstream will say it. */
const innerOf = (schema: unknown): unknown => (isRecord(schema) ? jsonSchemaOf(schema) : schema)

function numberOf(value: unknown): unknown {
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN
  return Number.isNaN(number) ? value : number
}

/** Numbers that may be written as texts, since they are 64 bits wide. */
const NUMBERS = new Set([
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
  'minimum',
  'maximum',
])

/**
 * The part of JSON Schema that Google takes. What it does not know is left out, which loosens the schema; `const` is an
 * `enum` of one.
 * @see https://ai.google.dev/api/generate-content#FIELDS.response_json_schema
 */
export function googleSchemaOf(schema: unknown): unknown {
  if (!isRecord(schema)) return schema
  const kept = Object.entries(withDefs(schema)).flatMap(([key, value]): readonly (readonly [string, unknown])[] => {
    if (key === '$ref' && typeof value === 'string') return [[key, value.replace(/^#\/definitions\//, '#/$defs/')]]
    if (key === 'const') return [['enum', [value]]]
    if (key === 'enum') return [[key, listOf(value).filter((one) => one !== null)]]
    if (MAPS.has(key)) return [[key, mapped(recordIn(value), googleSchemaOf)]]
    if (key === 'allOf') return Object.entries(recordIn(googleSchemaOf(merged(listOf(value)))))
    if (LISTS.has(key)) return [[key, listOf(value).map(googleSchemaOf)]]
    if (key === 'additionalProperties' || key === 'items') return [[key, googleSchemaOf(value)]]
    return KEPT.has(key) ? [[key, value]] : []
  })
  const read = Object.fromEntries(kept)
  if (typeof read['$ref'] !== 'string') return read
  return Object.fromEntries(Object.entries(read).filter(([key]) => key.startsWith('$'))) // nothing else may be beside it
}

/** What may be referred to, under the one name that Google knows; older drafts have another. */
function withDefs({ definitions, ...rest }: JsonRecord): JsonRecord {
  if (definitions === undefined) return rest
  return { ...rest, $defs: { ...recordIn(definitions), ...recordIn(rest['$defs']) } }
}

const KEPT = new Set([
  '$anchor',
  '$id',
  '$ref',
  'description',
  'format',
  'maxItems',
  'maximum',
  'minItems',
  'minimum',
  'propertyOrdering',
  'required',
  'title',
  'type',
])
const MAPS = new Set(['$defs', 'properties'])
const LISTS = new Set(['anyOf', 'oneOf', 'prefixItems'])

/** Schemas that must all hold, as one. */
function merged(schemas: readonly unknown[]): JsonRecord {
  let all: JsonRecord = {}
  for (const schema of schemas.filter(isRecord)) {
    const properties = { ...recordIn(all['properties']), ...recordIn(schema['properties']) }
    const required = [...new Set([...listOf(all['required']), ...listOf(schema['required'])])]
    all = {
      ...all,
      ...schema,
      ...(Object.keys(properties).length > 0 && { properties }),
      ...(required.length > 0 && { required }),
    }
  }
  return all
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function mapped(record: JsonRecord, change: (value: unknown) => unknown): JsonRecord {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
