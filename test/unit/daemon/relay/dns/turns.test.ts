import { expect, test } from 'vitest'
import { createTurns } from '../../../../../daemon/relay/dns/turns.ts'

/** Works that end when they are told to. */
function works() {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const work = (name: string) => () => {
    begun.push(name)
    return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
  }
  const settled = () => new Promise(setImmediate)
  const end = async (name: string) => {
    ends.get(name)?.()
    await settled()
  }
  return { begun, work, end, settled }
}

test('a node that asks for much waits for itself: others have their turns between', async () => {
  const { begun, work, end, settled } = works()
  const inTurn = createTurns({ atOnce: 1, waiting: 10, waitingPerNode: 4 })
  const all = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map((name) => inTurn(name.charAt(0), work(name)))
  await settled()
  for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']) {
    expect(begun.at(-1)).toBe(name)
    await end(name)
  }
  expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'c1'])
})

test('a work that does not end holds up its own node alone', async () => {
  const { begun, work, end, settled } = works()
  const inTurn = createTurns({ atOnce: 2, waiting: 10, waitingPerNode: 4 })
  for (const name of ['a1', 'a2', 'b1', 'c1']) void inTurn(name.charAt(0), work(name))
  await settled()
  expect(begun).toEqual(['a1', 'b1'])
  await end('b1')
  expect(begun).toEqual(['a1', 'b1', 'c1'])
  await end('a1')
  expect(begun).toEqual(['a1', 'b1', 'c1', 'a2'])
})

test('what is too much is refused at once: of one node, and of all', async () => {
  const { begun, work, settled } = works()
  const inTurn = createTurns({ atOnce: 1, waiting: 3, waitingPerNode: 2 })
  for (const name of ['a1', 'a2', 'a3']) void inTurn('a', work(name))
  expect(await inTurn('a', work('a4'))).toBe('busy')
  void inTurn('b', work('b1'))
  expect(await inTurn('c', work('c1'))).toBe('busy')
  await settled()
  expect(begun).toEqual(['a1'])
})

test('a work that fails gives its turn to the next', async () => {
  const inTurn = createTurns({ atOnce: 1, waiting: 3, waitingPerNode: 2 })
  const failed = inTurn('a', () => Promise.reject(new Error('no')))
  const next = inTurn('a', async () => 'done')
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe('done')
})
