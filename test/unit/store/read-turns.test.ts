import { expect, test } from 'vitest'
import { createReadTurns } from '../../../store/sqlite/read-turns.ts'

const NEVER = new AbortController().signal

/** Reads that go on until they are let go. */
function held() {
  const turns = createReadTurns()
  const gate = Promise.withResolvers<string>()
  let going = 0
  let most = 0
  const read = (owner: string, signal = NEVER) =>
    turns(owner, signal, async () => {
      going += 1
      most = Math.max(most, going)
      try {
        return await gate.promise
      } finally {
        going -= 1
      }
    })
  return { turns, read, letGo: () => gate.resolve('read'), most: () => most }
}

test.each([
  { name: 'of one owner four', owners: () => 'ann', admitted: 4 },
  { name: 'of all 64', owners: (n: number) => `owner ${n}`, admitted: 64 },
])('$name reads are taken, two go on at a time, and the rest is refused', async ({ owners, admitted }) => {
  const { read, letGo, most } = held()
  const all = Array.from({ length: 100 }, (_, n) => read(owners(n)))
  const refused = await Promise.allSettled(all.slice(admitted))
  for (const one of refused) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'TOO_MANY_REQUESTS' } })
  letGo()
  expect(await Promise.all(all.slice(0, admitted))).toEqual(Array.from({ length: admitted }, () => 'read'))
  expect(most()).toBe(2)
  expect(await read(owners(0))).toBe('read')
})

test('who leaves while it waits, and what fails, keep no turn', async () => {
  const { turns, read, letGo } = held()
  const first = [read('a'), read('b')]
  const left = new AbortController()
  const third = read('c', left.signal)
  left.abort(new Error('left'))
  await expect(third).rejects.toThrow('left')
  letGo()
  await Promise.all(first)
  for (let n = 0; n < 5; n += 1)
    await expect(turns('c', NEVER, () => Promise.reject(new Error('cut off')))).rejects.toThrow('cut off')
  expect(await read('c')).toBe('read')
})
