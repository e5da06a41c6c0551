import { durationMs } from '../../schemas/config/values.ts'
import { isCalendarDay } from '../../schemas/words/calendar-day.ts'
import { AdminError } from './error.ts'

/**
 * The beginning of a period: so long before now, a day in UTC, or a time.
 * @returns Unix milliseconds @throws AdminError BAD_REQUEST
 */
export function sinceOf(text: string, now: number): number {
  const day = /^\d{4}-\d{2}-\d{2}/.exec(text)?.[0]
  if (day !== undefined && !isCalendarDay(day))
    throw new AdminError('BAD_REQUEST', `since: ${text} is not a time: there is no such day`, { hint: HINT })
  const at = day === undefined ? now - periodMs(text) : Date.parse(text)
  if (at >= 0 && at <= now) return at
  throw new AdminError('BAD_REQUEST', `since: ${text} is not a time in the past`, { hint: HINT })
}

function periodMs(text: string): number {
  try {
    return durationMs(text)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new AdminError('BAD_REQUEST', `since: ${text} is neither a duration nor a time`, { cause, hint: HINT })
  }
}

const HINT = 'write 24h, 7d, today, or a day such as 2026-11-29'
