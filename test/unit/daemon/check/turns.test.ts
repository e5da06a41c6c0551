import { expect, test } from 'vitest'
import { createTurns } from '../../../../daemon/check/turns.ts'

const job = (name: string) => ({ keyId: name.charAt(0), name })

/** @param behind keys that were put behind @returns the names in the order of their turns */
function orderOf(names: readonly string[], behind = '', laterMs = 0): string {
  let now = 0
  const turns = createTurns<ReturnType<typeof job>>(() => now, 100)
  for (const key of behind) turns.putBehind(key)
  for (const name of names) expect(turns.add(job(name))).toBe(true)
  now += laterMs
  return names.map(() => turns.next()?.name).join(' ')
}

test.each([
  { of: 'one key', names: ['a1', 'a2', 'a3'], order: 'a1 a2 a3' },
  { of: 'keys of which one has sent much', names: ['a1', 'a2', 'a3', 'b1', 'c1'], order: 'a1 b1 c1 a2 a3' },
  { of: 'keys that take turns', names: ['a1', 'a2', 'b1', 'b2'], order: 'a1 b1 a2 b2' },
  { of: 'a key that was put behind', names: ['a1', 'b1', 'b2'], behind: 'a', order: 'b1 b2 a1' },
  { of: 'keys that all were', names: ['a1', 'b1'], behind: 'ab', order: 'a1 b1' },
  { of: 'one that was a minute ago', names: ['a1', 'b1', 'b2'], behind: 'a', laterMs: 60_000, order: 'a1 b1 b2' },
])('the turns of $of', ({ names, behind, laterMs, order }) => {
  expect(orderOf(names, behind, laterMs)).toBe(order)
})

test('one key may have half of what waits', () => {
  const turns = createTurns<ReturnType<typeof job>>(() => 0, 4)
  expect(['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map((name) => turns.add(job(name)))).toEqual([
    true,
    true,
    false,
    true,
    true,
    false,
  ])
  for (let i = 0; i < 4; i += 1) expect(turns.next()).toBeDefined()
  expect(turns.next()).toBeUndefined()
})
