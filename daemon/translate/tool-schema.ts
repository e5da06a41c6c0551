import { isRecord, type JsonRecord } from './json-value.ts'

/** Some clients write `null` for a list or a map of nothing. */
const NOT_NULL = new Set(['type', 'properties', 'required'])

/**
 * The schema of a tool's arguments, complete: OpenAI refuses an object whose properties are not listed, though there
 * are none, and Anthropic a schema without a type.
 */
export function toolSchemaOf(schema: unknown): JsonRecord {
  const said = Object.fromEntries(
    Object.entries(isRecord(schema) ? schema : {}).filter(([key, value]) => value !== null || !NOT_NULL.has(key)),
  )
  const typed = 'type' in said ? said : { type: 'object', ...said }
  return typed['type'] === 'object' && !('properties' in typed) ? { ...typed, properties: {} } : typed
}
