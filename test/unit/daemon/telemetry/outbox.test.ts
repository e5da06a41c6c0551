import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createOutbox } from '../../../../daemon/telemetry/outbox.ts'
import type { Posted } from '../../../../daemon/telemetry/post.ts'

const BROKEN = -1
let sent: string[]
let answers: Partial<Posted>[]
let logged: string[]
beforeEach(() => {
  vi.useFakeTimers()
  sent = []
  answers = []
  logged = []
})
afterEach(() => vi.useRealTimers())

const outbox = (isOn = true) =>
  createOutbox<number>({
    signal: 'traces',
    destination: () => (isOn ? { url: 'http://collector/v1/traces', headers: {} } : null),
    encode: (items) => {
      if (items.includes(BROKEN)) throw new Error('not encodable')
      return Buffer.from(items.length > 3 ? `${items.length} items` : items.join())
    },
    post: async (_url, _headers, body) => {
      sent.push(body.toString())
      return { status: 200, retryAfterMs: null, error: null, ...answers.shift() }
    },
    log: (_level, message) => void logged.push(message),
  })

test('items go in batches, a second after the first', async () => {
  const { put, counts } = outbox()
  put([1, 2])
  put([3])
  await vi.advanceTimersByTimeAsync(999)
  expect(sent).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(sent).toEqual(['1,2,3'])
  expect(counts()).toEqual({ sent: 3, dropped: 0 })
})

test('a batch that cannot be encoded is dropped and counted, and the next one goes', async () => {
  const { put, counts } = outbox()
  put([BROKEN])
  await vi.advanceTimersByTimeAsync(1_000)
  put([1])
  await vi.advanceTimersByTimeAsync(1_000)
  expect([sent, counts()]).toEqual([['1'], { sent: 1, dropped: 1 }])
})

test('a full batch goes at once, and what there is no room for is dropped and counted', async () => {
  const { put, counts } = outbox()
  put(Array.from({ length: 5_000 }, (_, i) => i))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(sent).toEqual(Array.from({ length: 8 }, () => '512 items'))
  expect(counts()).toEqual({ sent: 4_096, dropped: 904 })
})

test('a collector that is busy is asked again when it says, and told of once', async () => {
  answers = [{ status: 429, retryAfterMs: 7_000 }, { status: 503 }, {}]
  const { put, counts } = outbox()
  put([1])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(sent).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(6_999)
  expect(sent).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(sent).toHaveLength(2)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(sent).toEqual(['1', '1', '1'])
  expect(counts()).toEqual({ sent: 1, dropped: 0 })
  expect(logged).toEqual(['telemetry cannot be sent; what waits too long is dropped', 'telemetry is sent again'])
})

test('what a collector refuses, or never takes, is dropped', async () => {
  answers = [{ status: 400 }]
  const { put, counts } = outbox()
  put([1])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(counts()).toEqual({ sent: 0, dropped: 1 })
  answers = Array.from({ length: 9 }, () => ({ status: 0, error: 'connection refused' }))
  put([2])
  await vi.advanceTimersByTimeAsync(120_000)
  expect([sent.length, counts()]).toEqual([6, { sent: 0, dropped: 2 }])
  expect(logged).toHaveLength(1)
})

test('a stop sends what waits, and waits for no collector', async () => {
  const { put, close, counts } = outbox()
  put([1])
  await close()
  expect(counts()).toEqual({ sent: 1, dropped: 0 })
  answers = [{ status: 503 }, { status: 503 }]
  put([2])
  await vi.advanceTimersByTimeAsync(0)
  await close()
  expect(counts()).toEqual({ sent: 1, dropped: 1 })
})

test('where nothing is configured any more, items are dropped without a word', async () => {
  const { put, counts } = outbox(false)
  put([1])
  await vi.advanceTimersByTimeAsync(1_000)
  expect([sent, counts(), logged]).toEqual([[], { sent: 0, dropped: 1 }, []])
})
