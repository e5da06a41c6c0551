import { expect, test } from 'vitest'
import { createAllowances } from '../../../../../daemon/relay/registry/allowances.ts'

function allowances() {
  const clock = { nowMs: 0 }
  return { clock, ...createAllowances({ burst: 3, everyMs: 1_000 }, () => clock.nowMs) }
}
const times = (count: number, take: () => boolean) => Array.from({ length: count }, take).filter(Boolean).length

test('a key has its burst at once, and one more with each interval', () => {
  const { clock, take } = allowances()
  expect(times(10, () => take('a'))).toBe(3)
  expect(times(10, () => take('b'))).toBe(3)
  clock.nowMs += 999
  expect(take('a')).toBe(false)
  clock.nowMs += 1
  expect(times(10, () => take('a'))).toBe(1)
  clock.nowMs += 3_600_000
  expect(times(10, () => take('a'))).toBe(3)
})

test('asking in vain costs nothing, and what came to nothing is given back', () => {
  const { clock, take, giveBack } = allowances()
  expect(times(100, () => take('a'))).toBe(3)
  clock.nowMs += 1_000
  expect(take('a')).toBe(true)
  giveBack('a')
  expect(times(10, () => take('a'))).toBe(1)
})

test('keys that have their whole burst again are forgotten, and no more are remembered than it says', () => {
  const { clock, take, size } = allowances()
  for (let i = 0; i < 2 ** 16 + 100; i++) take(`key-${i}`)
  expect(size()).toBe(2 ** 16)
  clock.nowMs += 1_000
  take('another')
  expect(size()).toBe(1)
})
