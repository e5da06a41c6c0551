import fc from 'fast-check'
import { expect, test } from 'vitest'
import { windowAt } from '../../../../daemon/admit/window.ts'
import { WINDOWS } from '../../../../schemas/words/windows.ts'

const iso = (ms: number) => new Date(ms).toISOString().replace('.000', '')

test.each([
  { kind: 'hour', zone: 'UTC', at: '2026-03-29T01:30:00Z', from: '2026-03-29T01:00:00Z', to: '2026-03-29T02:00:00Z' },
  // an hour is missing, so a day has 23
  {
    kind: 'day',
    zone: 'Europe/Berlin',
    at: '2026-03-29T12:00:00Z',
    from: '2026-03-28T23:00:00Z',
    to: '2026-03-29T22:00:00Z',
  },
  // and one has 25
  {
    kind: 'day',
    zone: 'Europe/Berlin',
    at: '2026-10-25T12:00:00Z',
    from: '2026-10-24T22:00:00Z',
    to: '2026-10-25T23:00:00Z',
  },
  // clocks go forward at midnight, so the day begins at one
  {
    kind: 'day',
    zone: 'Africa/Cairo',
    at: '2026-04-24T12:00:00Z',
    from: '2026-04-23T22:00:00Z',
    to: '2026-04-24T21:00:00Z',
  },
  // they go back at midnight, to the day before
  {
    kind: 'day',
    zone: 'Asia/Beirut',
    at: '2026-10-24T20:30:00Z',
    from: '2026-10-23T21:00:00Z',
    to: '2026-10-24T22:00:00Z',
  },
  { kind: 'week', zone: 'UTC', at: '2026-11-30T00:00:00Z', from: '2026-11-30T00:00:00Z', to: '2026-12-07T00:00:00Z' },
  { kind: 'week', zone: 'UTC', at: '2026-11-29T23:59:59Z', from: '2026-11-23T00:00:00Z', to: '2026-11-30T00:00:00Z' },
  {
    kind: 'month',
    zone: 'America/New_York',
    at: '2026-12-01T04:59:59Z',
    from: '2026-11-01T04:00:00Z',
    to: '2026-12-01T05:00:00Z',
  },
  {
    kind: 'hour',
    zone: 'Asia/Kathmandu',
    at: '2026-11-30T10:00:00Z',
    from: '2026-11-30T09:15:00Z',
    to: '2026-11-30T10:15:00Z',
  },
  // the date line was moved: 30 December 2011 never was
  {
    kind: 'day',
    zone: 'Pacific/Apia',
    at: '2011-12-30T12:00:00Z',
    from: '2011-12-30T10:00:00Z',
    to: '2011-12-31T10:00:00Z',
  },
] as const)('the $kind in $zone at $at', ({ kind, zone, at, from, to }) => {
  const { startMs, endMs } = windowAt(kind, zone, Date.parse(at))
  expect([iso(startMs), iso(endMs)]).toEqual([from, to])
})

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/Sao_Paulo',
  'Asia/Beirut',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'America/Havana',
  'Africa/Cairo',
  'Asia/Tehran',
]

test('every moment is in one window, which begins and ends where the clocks of the zone say so', () => {
  const date = (zone: string, ms: number) =>
    new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(ms)
  fc.assert(
    fc.property(
      fc.constantFrom(...WINDOWS),
      fc.constantFrom(...ZONES),
      fc.integer({ min: Date.UTC(2008, 0), max: Date.UTC(2040, 0) }),
      (kind, zone, at) => {
        const { startMs, endMs } = windowAt(kind, zone, at)
        expect(startMs <= at && at < endMs).toBe(true)
        expect(windowAt(kind, zone, endMs).startMs).toBe(endMs)
        expect(windowAt(kind, zone, startMs - 1).endMs).toBe(startMs)
        if (kind === 'hour') return
        expect(date(zone, startMs)).not.toBe(date(zone, startMs - 1))
        if (kind === 'day') expect(date(zone, endMs - 1)).toBe(date(zone, startMs))
        if (kind === 'month') expect(date(zone, startMs)).toMatch(/-01$/)
        if (kind === 'week') expect(new Date(`${date(zone, startMs)}T00:00:00Z`).getUTCDay()).toBe(1)
      },
    ),
    { numRuns: 300 },
  )
})
