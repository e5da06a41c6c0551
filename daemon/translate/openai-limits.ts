import { createHash } from 'node:crypto'
import { isRecord, recordIn, textIn } from './json-value.ts'
import type { NeutralRequest, Usage } from './neutral.ts'

// What OpenAI's APIs have in common besides their errors.

/** Longer ids of users are refused. */
const LONGEST_USER = 64

/** An id of a user that is taken: a longer one as its SHA-256, which is the same in every request. */
export const userId = (id: string): string =>
  id.length <= LONGEST_USER ? id : createHash('sha256').update(id).digest('hex')

export function verbosityIn(said: unknown): Pick<NeutralRequest, 'verbosity'> {
  const verbosity = textIn(said)
  return verbosity === null ? {} : { verbosity }
}

export function cacheKeyIn(said: unknown): Pick<NeutralRequest, 'cacheKey'> {
  const cacheKey = textIn(said)
  return cacheKey === null ? {} : { cacheKey }
}

/** The classes of service that OpenAI names besides the usual one. */
const SERVICES = new Set(['flex', 'priority', 'scale'])

/** The class of service that answered; null: the usual one, or it is not known. */
export const serviceTierOf = ({ service }: Usage): string | null =>
  service !== undefined && SERVICES.has(service) ? service : null

/** Whether a schema is one that OpenAI enforces: its objects name all of their keys, and require them. */
export function mayBeStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(mayBeStrict)
  if (!isRecord(schema)) return true
  if (schema['type'] === 'object') {
    const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
    const keys = Object.keys(recordIn(schema['properties']))
    if (schema['additionalProperties'] !== false || !keys.every((key) => required.has(key))) return false
  }
  return Object.values(schema).every(mayBeStrict)
}
