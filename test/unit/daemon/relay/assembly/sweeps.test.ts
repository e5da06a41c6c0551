import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openSweeps } from '../../../../../daemon/relay/assembly/sweeps.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a sweep that takes long is not begun again, and holds up no other; one that fails is begun again', async () => {
  const begun: string[] = []
  const logged: unknown[] = []
  const slow = Promise.withResolvers<void>()
  const sweeps = openSweeps(
    {
      slow(signal) {
        begun.push('slow')
        signal.addEventListener('abort', () => slow.resolve())
        return slow.promise
      },
      failing: async () => {
        begun.push('failing')
        throw new Error('no')
      },
      quick: async () => void begun.push('quick'),
    },
    (level, _, fields) => logged.push([level, fields?.task]),
  )
  sweeps.start()
  expect(begun).toEqual(['slow', 'failing', 'quick'])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(begun.slice(3)).toEqual(['failing', 'quick'])
  expect(logged).toEqual(Array(2).fill(['error', 'failing']))
  sweeps.stop()
  await slow.promise
  await vi.advanceTimersByTimeAsync(120_000)
  expect(begun).toHaveLength(5)
})
