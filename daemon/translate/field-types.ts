import { GateError } from '../../schemas/words/errors.ts'
import { isRecord, type JsonRecord } from './json-value.ts'

const TYPES = {
  text: { name: 'a string', is: (value: unknown) => typeof value === 'string' },
  number: { name: 'a number', is: (value: unknown) => typeof value === 'number' },
  boolean: { name: 'true or false', is: (value: unknown) => typeof value === 'boolean' },
  list: { name: 'an array', is: Array.isArray },
  object: { name: 'an object', is: isRecord },
} as const
type Type = keyof typeof TYPES

/** The types that each field of a request may have; none: any. */
export type FieldTypes = Readonly<Record<string, readonly Type[]>>

/**
 * Refuses a request in which a field is of a type that its dialect does not know: an upstream of the dialect would, and
 * in a translation it would be lost. Null counts as left out. @param within such as `options.`, for a part of a request
 * @throws GateError BAD_REQUEST, naming the field
 */
export function checkTypes(request: JsonRecord, fields: FieldTypes, within = ''): void {
  for (const [name, types] of Object.entries(fields)) {
    const value = request[name]
    if (value === undefined || value === null || types.length === 0) continue
    if (types.some((type) => TYPES[type].is(value))) continue
    const allowed = types.map((type) => TYPES[type].name).join(' or ')
    throw new GateError('BAD_REQUEST', `"${within}${name}" must be ${allowed}`, { param: `${within}${name}` })
  }
}

/** Fields of a request that are set, and not among these. */
export const unread = (request: JsonRecord, fields: FieldTypes): string[] =>
  Object.keys(request).filter((name) => !Object.hasOwn(fields, name) && request[name] !== null)
