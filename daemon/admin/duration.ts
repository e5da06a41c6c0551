import { durationMs } from '../../schemas/config/values.ts'
import { AdminError } from './error.ts'

/** Longest life of a key that expires: 100 years, well inside what a date can hold. */
const LONGEST_LIFE_MS = 100 * 365 * 86_400_000

/** How long a former text of a key may count. */
const LONGEST_OVERLAP_MS = 30 * 86_400_000

/** @param field that it came in @throws AdminError BAD_REQUEST */
export const lifeMs = (field: string, text: string): number => within(field, text, 1, LONGEST_LIFE_MS)

/** How long the text of a key counts that a rotation replaces; 0: not at all. @throws AdminError BAD_REQUEST */
export const overlapMs = (text: string): number => within('overlap', text, 0, LONGEST_OVERLAP_MS)

function within(field: string, text: string, leastMs: number, mostMs: number): number {
  let ms: number
  try {
    ms = durationMs(text)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new AdminError('BAD_REQUEST', `${field}: ${cause.message}`, { cause, hint: 'write "12h" or "30d"' })
  }
  if (ms >= leastMs && ms <= mostMs) return ms
  throw new AdminError('BAD_REQUEST', `${field}: ${text} is not between ${leastMs}ms and ${mostMs / 86_400_000}d`)
}
