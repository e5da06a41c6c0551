import { durationMs } from '../../schemas/config/values.ts'
import { AdminError } from './error.ts'

/** Longest life of a key that expires: 100 years, well inside what a date can hold. */
const LONGEST_LIFE_MS = 100 * 365 * 86_400_000

/** @param field that it came in @param leastMs 1, or 0 where none at all is meant too @throws AdminError BAD_REQUEST */
export function lifeMs(field: string, text: string, leastMs: 0 | 1 = 1): number {
  let ms: number
  try {
    ms = durationMs(text)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new AdminError('BAD_REQUEST', `${field}: ${cause.message}`, { cause, hint: 'write "12h" or "30d"' })
  }
  if (ms >= leastMs && ms <= LONGEST_LIFE_MS) return ms
  throw new AdminError('BAD_REQUEST', `${field}: ${text} is not between ${leastMs}ms and 36500d`)
}
