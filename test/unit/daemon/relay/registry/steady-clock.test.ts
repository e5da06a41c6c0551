import { expect, test } from 'vitest'
import { steadyClock } from '../../../../../daemon/relay/registry/steady-clock.ts'

test.each([
  { what: 'goes with the clock of the host', steps: [[1_000, 1_000]], expected: [1_000] },
  {
    what: 'never goes back',
    steps: [
      [1_000, 1_000],
      [-5_000, 1_000],
    ],
    expected: [1_000, 1_000],
  },
  { what: 'does not jump with it', steps: [[90 * 86_400_000, 1_000]], expected: [2_000] },
  {
    what: 'comes after it by and by',
    steps: [
      [10_000, 1_000],
      [1_000, 1_000],
      [1_000, 20_000],
    ],
    expected: [2_000, 4_000, 12_000],
  },
])('a clock that $what', ({ steps, expected }) => {
  let [wallMs, monotonicMs] = [0, 0]
  const now = steadyClock(
    () => wallMs,
    () => monotonicMs,
  )
  const shown = steps.map(([wall = 0, monotonic = 0]) => {
    wallMs += wall
    monotonicMs += monotonic
    return now()
  })
  expect(shown).toEqual(expected)
})
