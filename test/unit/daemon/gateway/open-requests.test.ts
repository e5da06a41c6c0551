import { expect, test } from 'vitest'
import { ANYBODY } from '../../../../daemon/auth/principal.ts'
import { createOpenRequests } from '../../../../daemon/gateway/open-requests.ts'
import type { GateError } from '../../../../schemas/words/errors.ts'

function client(keyId: string) {
  const cuts: string[] = []
  return {
    progress: { principal: { ...ANYBODY, credentialId: keyId, userId: `owner of ${keyId}` } },
    cuts,
    cutOff: (error: GateError) => void cuts.push(error.code),
  }
}

test.each([
  { name: 'the first', order: [0, 1, 2] },
  { name: 'the last', order: [2, 1, 0] },
  { name: 'the middle', order: [1, 2, 0] },
])('takes out $name and keeps the others', ({ order }) => {
  const clients = [client('a'), client('b'), client('c')]
  const open = createOpenRequests<ReturnType<typeof client>>()
  const placed = clients.map((item) => open.add(item))
  const left = new Set(clients)
  for (const item of order) {
    const one = placed[item]
    if (one !== undefined) open.remove(one)
    for (const gone of clients.slice(item, item + 1)) left.delete(gone)
    expect(new Set(open.items())).toEqual(left)
    expect(open.count()).toBe(left.size)
  }
})

test('cuts off what is answered to a revoked key, and nothing else', () => {
  const open = createOpenRequests<ReturnType<typeof client>>()
  const [mine, other] = [client('mine'), client('other')]
  open.add(mine)
  open.add(other)
  open.cutEnded({ kind: 'credential', id: 'mine', why: 'revoked' })
  expect(mine.cuts).toEqual(['INVALID_KEY'])
  expect(other.cuts).toEqual([])
  open.cutEnded({ kind: 'user', id: 'owner of other', why: 'disabled' })
  expect(mine.cuts).toHaveLength(1)
  expect(other.cuts).toEqual(['INVALID_KEY'])
})

test('drains when the listeners are closed and the last request has ended', async () => {
  const open = createOpenRequests<ReturnType<typeof client>>()
  const placed = open.add(client('a'))
  const closed = Promise.withResolvers<void>()
  const seen: string[] = []
  const drained = open.drain(closed.promise, new AbortController().signal).then(() => seen.push('drained'))
  open.remove(placed)
  await Promise.resolve()
  expect(seen).toEqual([])
  closed.resolve()
  await drained
  expect(seen).toEqual(['drained'])
})

test('cuts off what is left when the time is over', async () => {
  const open = createOpenRequests<ReturnType<typeof client>>()
  const slow = client('a')
  const placed = open.add(slow)
  const over = new AbortController()
  const drained = open.drain(Promise.resolve(), over.signal)
  over.abort()
  expect(slow.cuts).toEqual(['NOT_READY'])
  open.remove(placed)
  await drained
})

test('counts those of a person, whatever their keys, and those of a key that belongs to no user', () => {
  type Open = Parameters<ReturnType<typeof createOpenRequests>['add']>[0]
  const open = createOpenRequests<Open>()
  const of = (keyId: string, userId: string | null) => ({ ...ANYBODY, keyId, userId })
  const all = [of('k1', 'ada'), of('k2', 'ada'), of('k3', null), of('ada', null), null]
  for (const principal of all) open.add({ progress: { principal }, cutOff: () => {} })
  const counted = open.counts()
  const asked = [of('any', 'ada'), of('k3', null), of('ada', null), of('k1', 'bob'), of('k4', null)]
  expect(asked.map(counted)).toEqual([2, 1, 1, 0, 0])
})
