import { isRecord, type JsonRecord, listIn } from '../json-value.ts'

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

/** A list; Google's parser takes one object for a list of one. */
export const oneOrMore = (value: unknown): readonly unknown[] => (isRecord(value) ? [value] : listIn(value))

export const camelsIn = (value: unknown): readonly JsonRecord[] => oneOrMore(value).filter(isRecord).map(camelIn)

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
