import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLeaving } from '../../../../../daemon/relay/client/leaving.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function tunnel() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { closed: promise, cut: vi.fn(resolve) }
}

test('of the tunnels that end, a few are kept, and the oldest is cut', async () => {
  const leaving = createLeaving()
  const tunnels = Array.from({ length: 7 }, tunnel)
  for (const one of tunnels) leaving.add(one)
  expect(tunnels.map(({ cut }) => cut.mock.calls.length)).toEqual([1, 1, 1, 0, 0, 0, 0])
  expect(leaving.count()).toBe(4)
})

test('one that does not end by itself is cut after ten minutes', async () => {
  const leaving = createLeaving()
  const [one, other] = [tunnel(), tunnel()]
  leaving.add(one)
  leaving.add(other)
  other.cut()
  await vi.advanceTimersByTimeAsync(600_000)
  expect(one.cut).toHaveBeenCalledTimes(1)
  expect(other.cut).toHaveBeenCalledTimes(1)
  expect(leaving.count()).toBe(0)
})
