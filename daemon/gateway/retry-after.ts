import type { ResponseHeaders } from '../upstream/forward-end.ts'

/**
 * How long an upstream asks to wait, in milliseconds: `retry-after-ms`, or Retry-After in seconds or as a date; null
 * when it does not say. @param nowMs Unix milliseconds
 */
export function retryAfterMs(headers: ResponseHeaders, nowMs: number): number | null {
  const exact = waitOf(firstOf(headers['retry-after-ms']))
  if (exact !== null) return exact
  const asked = firstOf(headers['retry-after'])
  const seconds = waitOf(asked)
  if (seconds !== null) return seconds * 1_000
  if (!DATE.test(asked)) return null // Date.parse takes "-5" for a year
  const date = Date.parse(/GMT\s*$/i.test(asked) ? asked : `${asked} GMT`)
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs)
}

/** The forms of a date in HTTP, RFC 9110 section 5.6.7; they begin with the day of the week. */
const DATE = /^\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /i

function firstOf(value: string | string[] | undefined): string {
  return (typeof value === 'string' ? value : value?.[0]) ?? ''
}

function waitOf(text: string): number | null {
  return /^\s*\d{1,10}(?:\.\d+)?\s*$/.test(text) ? Number(text) : null
}
