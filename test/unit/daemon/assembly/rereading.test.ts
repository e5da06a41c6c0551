import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRereading } from '../../../../daemon/assembly/rereading.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function start() {
  const reads: PromiseWithResolvers<void>[] = []
  const failures: unknown[] = []
  const rereading = createRereading({
    read: () => {
      const one = Promise.withResolvers<void>()
      reads.push(one)
      return one.promise
    },
    failed: (error) => void failures.push(error),
    everyMs: 3_600_000,
    afterFailureMs: 1_000,
  })
  return { rereading, reads, failures }
}
type Started = ReturnType<typeof start>

test.each([
  { name: 'nothing is asked for', meanwhile: () => {}, againMs: 3_600_000 },
  { name: 'a correction is', meanwhile: ({ rereading }: Started) => rereading.within(5_000), againMs: 5_000 },
  { name: 'another read is', meanwhile: ({ rereading }: Started) => void rereading.now(), againMs: 0 },
])('when $name during a read, the next one comes in $againMs ms', async ({ meanwhile, againMs }) => {
  const started = start()
  const { rereading, reads } = started
  const read = rereading.now()
  meanwhile(started)
  expect(reads).toHaveLength(1)
  reads[0]?.resolve()
  await read
  expect(reads).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(againMs)
  expect(reads).toHaveLength(2)
  reads[1]?.resolve()
  await rereading.stop()
})

test('what fails is told and tried again; nothing is read after the end', async () => {
  const { rereading, reads, failures } = start()
  const read = rereading.now()
  reads[0]?.reject(new Error('busy'))
  await read
  expect(failures).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(reads).toHaveLength(2)
  reads[1]?.resolve()
  await rereading.stop()
  await vi.advanceTimersByTimeAsync(7_200_000)
  expect(reads).toHaveLength(2)
})
