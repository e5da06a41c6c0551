import type { WindowKind } from '../../schemas/words/windows.ts'

/** From `startMs` on, up to but not including `endMs`; Unix milliseconds. */
export type Window = { readonly startMs: number; readonly endMs: number }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const WEEK_DAYS = 7

/**
 * The calendar window around a moment, in a time zone. A day begins at the first moment of its date, which is not
 * midnight where clocks go forward then; every moment is in one window of a kind.
 * @param zone an IANA name
 */
export function windowAt(kind: WindowKind, zone: string, atMs: number): Window {
  const offsetAt = offsetsOf(zone)
  if (kind === 'hour') return hourAt(offsetAt, atMs)
  const local = new Date(atMs + offsetAt(atMs))
  const starts = [-1, 0, 1, 2].map((step) => momentOf(offsetAt, firstDay(kind, local, step)))
  const next = starts.findIndex((start) => start > atMs)
  return { startMs: starts[next - 1] ?? atMs, endMs: starts[next] ?? atMs + DAY_MS }
}

/** The date on which a window begins, `step` windows after the one of a local date; as if it were UTC. */
function firstDay(kind: 'day' | 'week' | 'month', local: Date, step: number): number {
  const [year, month, day] = [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()]
  if (kind === 'month') return Date.UTC(year, month + step, 1)
  const sinceMonday = kind === 'week' ? (local.getUTCDay() + WEEK_DAYS - 1) % WEEK_DAYS : 0
  return Date.UTC(year, month, day - sinceMonday + step * (kind === 'week' ? WEEK_DAYS : 1))
}

type Offset = (atMs: number) => number

/** The first moment at which a clock shows `shown`, or more where it leaves that out. */
function momentOf(offsetAt: Offset, shown: number): number {
  const [before, after] = [offsetAt(shown - DAY_MS), offsetAt(shown + DAY_MS)]
  const moments = [shown - before, shown - after].filter((at) => at + offsetAt(at) === shown)
  return moments.length > 0 ? Math.min(...moments) : changeIn(offsetAt, shown - DAY_MS, shown + DAY_MS)
}

/** An hour as a clock shows it, cut where the clock is put by a part of an hour. */
function hourAt(offsetAt: Offset, atMs: number): Window {
  const part = (at: number) => offsetAt(at) % HOUR_MS
  const startMs = Math.floor((atMs + part(atMs)) / HOUR_MS) * HOUR_MS - part(atMs)
  const endMs = startMs + HOUR_MS
  return {
    startMs: part(startMs) === part(atMs) ? startMs : changeIn(offsetAt, startMs, atMs),
    endMs: part(endMs - 1) === part(atMs) ? endMs : changeIn(offsetAt, atMs, endMs),
  }
}

/** The first moment with another offset than at `from`; there is one change at most. */
function changeIn(offsetAt: Offset, from: number, to: number): number {
  let [low, high] = [from, to]
  const offset = offsetAt(from)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle) === offset) low = middle
    else high = middle
  }
  return high
}

/** How far a clock of the zone is ahead of UTC, in milliseconds. */
function offsetsOf(zone: string): Offset {
  if (zone === 'UTC') return () => 0
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (atMs) => {
    const shown: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(atMs)) shown[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1_000) * 1_000
  }
}
