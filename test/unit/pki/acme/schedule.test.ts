import { describe, expect, test } from 'vitest'
import { alarmAt, backoffMs, renewalAt, waitAfterStart, wishedAt } from '../../../../pki/acme/schedule.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const LIFE = { fromMs: 0, toMs: 90 * DAY_MS }

describe('a certificate of 90 days', () => {
  test.each([
    { chance: 0, day: 60 },
    { chance: 0.5, day: 58.5 },
    { chance: 1, day: 57 },
  ])('is renewed on day $day at chance $chance', ({ chance, day }) => {
    expect(renewalAt(LIFE, chance)).toBeCloseTo(day * DAY_MS)
  })

  test.each([
    { name: 'inside the window', start: 50, end: 52, chance: 0.5, day: 51 },
    { name: 'at its start', start: 50, end: 52, chance: 0, day: 50 },
    { name: 'at once, when the window is over', start: -2, end: -1, chance: 0.5, day: -1.5 },
    { name: 'before the alarm, when the window is later', start: 85, end: 89, chance: 0.5, day: 63 },
  ])('is renewed as the CA wishes: $name', ({ start, end, chance, day }) => {
    expect(wishedAt(LIFE, { startMs: start * DAY_MS, endMs: end * DAY_MS }, chance)).toBeCloseTo(day * DAY_MS)
  })

  test('raises the alarm with a quarter left, after every time for renewals', () => {
    expect(alarmAt(LIFE)).toBeCloseTo(67.5 * DAY_MS)
  })
})

test.each([
  { failures: 1, askedMs: undefined, minutes: 1 },
  { failures: 2, askedMs: undefined, minutes: 10 },
  { failures: 3, askedMs: undefined, minutes: 100 },
  { failures: 4, askedMs: undefined, minutes: 1_440 },
  { failures: 400, askedMs: undefined, minutes: 1_440 },
  { failures: 1, askedMs: 5 * MINUTE_MS, minutes: 5 },
  { failures: 3, askedMs: 5 * MINUTE_MS, minutes: 100 },
  { failures: 1, askedMs: 400 * DAY_MS, minutes: 7 * 1_440 },
])(
  'after $failures failures, the CA asking for $askedMs ms, waits $minutes minutes',
  ({ failures, askedMs, minutes }) => {
    expect(backoffMs(failures, askedMs, 0)).toBe(minutes * MINUTE_MS)
    expect(backoffMs(failures, askedMs, 1)).toBeLessThanOrEqual(minutes * MINUTE_MS * 1.1)
  },
)

test.each([
  { name: 'nothing is known', past: undefined, minutes: 0 },
  { name: 'a failure waits for minutes', past: { retryAtMs: 10, leftAloneUntilMs: 0, failedAtMs: 0 }, minutes: 10 },
  { name: 'a failure waits for a day', past: { retryAtMs: 1_440, leftAloneUntilMs: 0, failedAtMs: 0 }, minutes: 60 },
  { name: 'the CA asked for two', past: { retryAtMs: 2_880, leftAloneUntilMs: 2_880, failedAtMs: 0 }, minutes: 2_880 },
  { name: 'a success was just now', past: { retryAtMs: 60, leftAloneUntilMs: 0, failedAtMs: undefined }, minutes: 60 },
  { name: 'all is over', past: { retryAtMs: -5, leftAloneUntilMs: 0, failedAtMs: -15 }, minutes: 0 },
  {
    name: 'the clock was a year ahead',
    past: { retryAtMs: 525_600, leftAloneUntilMs: 525_600, failedAtMs: 0 },
    minutes: 10_080,
  },
])('after a start, when $name, it waits $minutes minutes', ({ past, minutes }) => {
  const inMs = past && {
    retryAtMs: past.retryAtMs * MINUTE_MS,
    leftAloneUntilMs: past.leftAloneUntilMs * MINUTE_MS,
    failedAtMs: past.failedAtMs === undefined ? undefined : past.failedAtMs * MINUTE_MS,
  }
  expect(waitAfterStart(inMs, 0)).toBe(minutes * MINUTE_MS)
})
