import { beforeEach, expect, test } from 'vitest'
import { type Attempts, createAttempts } from '../../../../daemon/auth/attempts.ts'
import { GateError } from '../../../../schemas/words/errors.ts'

let time = 0
let attempts: Attempts
beforeEach(() => {
  time = 0
  attempts = createAttempts({ free: 3, firstMs: 1_000, longestMs: 8_000 }, () => time)
})

/** Seconds to wait; 0: it was let through. */
function wait(key = 'a'): number {
  try {
    attempts.begin(key)
    return 0
  } catch (error) {
    if (error instanceof GateError) return error.retryAfterS ?? -1
    throw error
  }
}

test('each failure after the free ones doubles the wait, up to the longest', () => {
  expect([wait(), wait(), wait(), wait()]).toEqual([0, 0, 0, 0])
  const waits = [1, 2, 3, 4, 5].map(() => {
    const seconds = wait()
    time += seconds * 1_000
    expect(wait()).toBe(0)
    return seconds
  })
  expect(waits).toEqual([1, 2, 4, 8, 8])
})

test('many at once are let through no more often than one after the other', () => {
  const through = Array.from({ length: 64 }, () => wait()).filter((seconds) => seconds === 0)
  expect(through).toHaveLength(4)
})

test('what waits is not made to wait longer by asking again', () => {
  for (let i = 0; i < 4; i++) wait()
  expect([wait(), wait(), wait()]).toEqual([1, 1, 1])
})

test('a success forgets what failed; what was withdrawn never counted', () => {
  for (let i = 0; i < 4; i++) wait()
  attempts.succeeded('a')
  for (let i = 0; i < 20; i++) attempts.begin('a')()
  expect(attempts.size()).toBe(0)
})

test('what was withdrawn leaves no wait, however much has failed before', () => {
  for (let i = 0; i < 4; i++) wait()
  time += 1_000
  for (let i = 0; i < 20; i++) attempts.begin('a')()
  expect([wait(), wait()]).toEqual([0, 2])
})

test('what is withdrawn late does not take away the wait of a later one', () => {
  for (let i = 0; i < 3; i++) wait()
  const late = attempts.begin('a')
  time += 1_000
  expect(wait()).toBe(0)
  late()
  expect(wait()).toBe(2)
})

test('one key does not wait for another, and after an hour nothing is held against it', () => {
  for (let i = 0; i < 5; i++) wait()
  expect(wait()).toBe(1)
  expect(wait('b')).toBe(0)
  time += 3_600_001
  expect([wait(), wait(), wait(), wait()]).toEqual([0, 0, 0, 0])
})

test('a flood of keys is bounded', () => {
  for (let i = 0; i < 30_000; i++) wait(`key ${i}`)
  expect(attempts.size()).toBeLessThanOrEqual(10_000)
})
