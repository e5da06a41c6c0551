import { isRecord, type JsonRecord, listIn, recordIn, textIn } from '../json-value.ts'

const FORMATS = new Set(['date', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'time', 'uri', 'uuid'])

/** What stays as it is. */
const KEPT = new Set(['$ref', 'const', 'default', 'description', 'enum', 'required', 'title', 'type'])
const MAPS = new Set(['$defs', 'definitions', 'properties'])
const LISTS = new Set(['allOf', 'anyOf'])
/** What constrains nothing. */
const SAYS_NOTHING = new Set(['$id', '$schema', 'additionalProperties', 'propertyOrdering'])

/**
 * A JSON Schema as Anthropic enforces it: it refuses objects that take other keys, and bounds. What it does not know is
 * said in the description, as its own SDKs do.
 * @see https://docs.claude.com/en/docs/build-with-claude/structured-outputs
 */
export function enforcedSchemaOf(schema: unknown): unknown {
  if (!isRecord(schema)) return schema
  const kept: Record<string, unknown> = {}
  const said: string[] = []
  for (const [key, value] of Object.entries(schema)) {
    if (MAPS.has(key)) kept[key] = mapped(recordIn(value))
    else if (LISTS.has(key)) kept[key] = listIn(value).map(enforcedSchemaOf)
    else if (key === 'oneOf') kept['anyOf'] = listIn(value).map(enforcedSchemaOf)
    else if (key === 'items') kept[key] = enforcedSchemaOf(value)
    else if (KEPT.has(key) || isKept(key, value)) kept[key] = value
    else if (!SAYS_NOTHING.has(key)) said.push(`${key}: ${JSON.stringify(value)}`)
  }
  if (isObject(schema)) kept['additionalProperties'] = false
  if (said.length === 0) return kept
  const description = [textIn(kept['description']), `{${said.join(', ')}}`].filter((text) => text !== null).join('\n\n')
  return { ...kept, description }
}

function isKept(key: string, value: unknown): boolean {
  return (key === 'format' && FORMATS.has(String(value))) || (key === 'minItems' && (value === 0 || value === 1))
}

const isObject = ({ type, properties }: JsonRecord): boolean =>
  type === 'object' || (Array.isArray(type) && type.includes('object')) || isRecord(properties)

const mapped = (schemas: JsonRecord): JsonRecord =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, enforcedSchemaOf(schema)]))
