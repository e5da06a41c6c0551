import { expect, test } from 'vitest'
import { createPatience } from '../../../../daemon/listener/patience.ts'

test('so many at once, and so many more with each second', () => {
  let now = 0
  const patience = createPatience({ burst: 3, perSecond: 2 }, () => now)
  const take = (count: number) => Array.from({ length: count }, patience.isLeft).filter(Boolean).length
  expect(take(5)).toBe(3)
  now = 2_000
  expect(take(5)).toBe(2)
  now = 1_000_000
  expect(take(10)).toBe(3)
})
