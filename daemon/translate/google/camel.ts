import { isRecord, type JsonRecord } from '../json-value.ts'

/**
 * An object of Google's API with its keys in camelCase. Its parser takes snake_case as well, and some clients send
 * that. Only its own keys are changed, not those of what is inside: arguments and schemas have names of their own.
 */
export function camelIn(value: unknown): JsonRecord {
  if (!isRecord(value)) return {}
  const names = Object.keys(value)
  if (!names.some((name) => name.includes('_'))) return value
  return Object.fromEntries(names.map((name) => [camel(name), value[name]]))
}

export const camelsIn = (value: unknown): readonly JsonRecord[] =>
  Array.isArray(value) ? value.filter(isRecord).map(camelIn) : []

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
