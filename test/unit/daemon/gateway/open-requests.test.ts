import { expect, test } from 'vitest'
import { createOpenRequests } from '../../../../daemon/gateway/open-requests.ts'

test.each([
  { name: 'the first', order: [0, 1, 2] },
  { name: 'the last', order: [2, 1, 0] },
  { name: 'the middle', order: [1, 2, 0] },
])('takes out $name and keeps the others', ({ order }) => {
  const open = createOpenRequests<number>()
  const placed = [0, 1, 2].map((item) => open.add(item))
  const left = new Set([0, 1, 2])
  for (const item of order) {
    const one = placed[item]
    if (one !== undefined) open.remove(one)
    left.delete(item)
    expect(new Set(open.items())).toEqual(left)
    expect(open.count()).toBe(left.size)
  }
})
