import { expect, test } from 'vitest'
import { lentTo } from '../../../../daemon/gateway/lent.ts'

const MODELS = [
  { id: 'mine', ownedBy: 'gate' },
  { id: 'llama', ownedBy: 'engine' },
  { id: 'theirs', ownedBy: 'neighbour' },
].map((model) => ({ ...model, targets: [] }))
const PROVIDERS: Readonly<Record<string, string>> = { engine: 'vllm', neighbour: 'peer' }

test.each([
  { who: 'a client', via: {}, ids: ['mine', 'llama', 'theirs'] },
  { who: 'another gateway', via: { peerNode: 'n1' }, ids: ['mine', 'llama'] },
])('$who is told of $ids', ({ via, ids }) => {
  expect(lentTo(via, MODELS, (name) => PROVIDERS[name]).map(({ id }) => id)).toEqual(ids)
})
