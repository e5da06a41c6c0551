import { expect, test } from 'vitest'
import { createKeyRing } from '../../../../daemon/upstream/key-ring.ts'

function ring(count: number, perMinute: number | null = null) {
  let time = 0
  const keys = createKeyRing(count, perMinute, () => time)
  return {
    ...keys,
    pass: (ms: number) => {
      time += ms
    },
    taken: () => {
      const taken = keys.take()
      return taken.kind === 'key' ? taken.index : `in ${taken.waitMs}`
    },
  }
}

test('the first key is used until it is told to wait, and again after that', () => {
  const keys = ring(2)
  expect([keys.taken(), keys.taken()]).toEqual([0, 0])
  expect(keys.refused(0, 429, 3_000)).toBe(true)
  expect(keys.taken()).toBe(1)
  keys.pass(3_000)
  expect(keys.taken()).toBe(0)
})

test('how long none may be used is said without using one', () => {
  const keys = ring(2)
  keys.refused(0, 429, 3_000)
  expect(keys.waitMs()).toBe(0)
  keys.refused(1, 429, 5_000)
  expect(keys.waitMs()).toBe(3_000)
  const limited = ring(1, 2)
  expect([limited.waitMs(), limited.taken(), limited.waitMs(), limited.taken()]).toEqual([0, 0, 0, 0])
  expect([limited.waitMs(), limited.waitMs()]).toEqual([30_000, 30_000])
  expect(ring(0).waitMs()).toBe(0)
})

test('a key without money rests for minutes, and with the last one there is nothing to go on to', () => {
  const keys = ring(2)
  expect(keys.refused(0, 402, null)).toBe(true)
  keys.pass(60_000)
  expect(keys.taken()).toBe(1)
  expect(keys.refused(1, 429, null)).toBe(false)
  expect(keys.taken()).toBe('in 10000')
})

test.each([400, 404, 500, 503])('%i is not about the key', (status) => {
  const keys = ring(2)
  expect(keys.refused(0, status, null)).toBe(false)
  expect(keys.taken()).toBe(0)
})

test('a single key never rests, and no key is not missed', () => {
  const one = ring(1)
  expect([one.refused(0, 429, null), one.taken()]).toEqual([false, 0])
  expect(ring(0).taken()).toBe(0)
})

test('each key has the limit for itself, which fills up again as time passes', () => {
  const keys = ring(2, 2)
  expect([keys.taken(), keys.taken(), keys.taken(), keys.taken(), keys.taken()]).toEqual([0, 0, 1, 1, 'in 30000'])
  keys.pass(30_000)
  expect(keys.taken()).toBe(0)
})
