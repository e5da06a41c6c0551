import { expect, test } from 'vitest'
import { createOwnUsage, type Of } from '../../../../daemon/admin/own-usage.ts'

const ANN = { userId: 'ann' }
const KEY = { keyId: 'k' }
const used = (requests: number) => ({ requests, input_tokens: 1, output_tokens: 2, cost_microdollars: 3 })

test('figures are read once in ten seconds for each who follows, and of others nothing is kept', async () => {
  const asked: Of[] = []
  let nowMs = 100_000_000
  const own = createOwnUsage(
    async ({ since, until, of }) => {
      expect(until - since).toBe(86_400_000)
      asked.push(of)
      return { total: used(asked.length) }
    },
    () => nowMs,
  )
  expect(own.of(ANN)).toBeNull()
  await own.look([ANN, ANN, KEY])
  await own.look([ANN, KEY])
  expect([asked, own.of(ANN), own.of(KEY)]).toEqual([[ANN, KEY], used(1), used(2)])
  nowMs += 10_000
  await own.look([ANN])
  expect([asked.length, own.of(ANN), own.of(KEY)]).toEqual([3, used(3), null])
})

test('what cannot be read leaves the figures as they were', async () => {
  let isBroken = false
  let nowMs = 0
  const read = () => (isBroken ? Promise.reject(new Error('busy')) : Promise.resolve({ total: used(7) }))
  const own = createOwnUsage(read, () => nowMs)
  await own.look([ANN])
  isBroken = true
  nowMs += 60_000
  await own.look([ANN])
  expect(own.of(ANN)).toEqual(used(7))
})
