import { expect, test } from 'vitest'
import { createKept } from '../../../../daemon/gateway/kept.ts'

test('an answer that could not be kept is remembered, for its key alone', () => {
  const logged: string[] = []
  const store = {
    put() {
      throw new Error('the disk is full')
    },
    get: () => null,
    remove: () => false,
    trim: () => false,
  }
  const limits = { keptForMs: 1_000, maxBytes: 1_000 }
  const log = (_level: string, message: string) => void logged.push(message)
  const kept = createKept(
    store,
    () => null,
    log,
    () => 0,
    limits,
  )
  kept.of('mine').keep('resp_0', {})
  expect(logged).toEqual(['an answer could not be kept'])
  expect(kept.of('mine').isLost('resp_0')).toBe(true)
  expect(kept.of('other').isLost('resp_0')).toBe(false)
  for (let at = 1; at <= 1_000; at += 1) kept.of('mine').keep(`resp_${at}`, {})
  expect(kept.of('mine').isLost('resp_0')).toBe(false)
  expect(kept.of('mine').isLost('resp_1000')).toBe(true)
})
