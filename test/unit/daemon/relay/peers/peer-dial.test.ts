import { expect, test } from 'vitest'
import { dialPeer } from '../../../../../daemon/relay/peers/peer-dial.ts'
import { connectionEnd } from '../../../../../daemon/upstream/passage-end.ts'

test('a client is told when nothing says where a peer is', async () => {
  const peer = { node: 'b'.repeat(32), addresses: [], relays: [] }
  const error = await dialPeer({ key: '', cert: '' } as never, peer, 1_000).catch((reason: unknown) => reason)
  if (!(error instanceof Error)) return expect.unreachable('there is no way')
  const end = connectionEnd({ status: 0, ttftMs: null, isPassing: false }, error, false)
  expect(end).toMatchObject({
    kind: 'unreached',
    error: {
      message: 'the upstream could not be reached: no address of it is known; set addresses or relays of the peer',
    },
  })
})

test('a client is told no addresses of an upstream that does not answer', () => {
  const error = Object.assign(new Error('connect ECONNREFUSED 10.0.0.9:80'), { code: 'ECONNREFUSED' })
  const end = connectionEnd({ status: 0, ttftMs: null, isPassing: false }, error, false)
  expect(end).toMatchObject({ error: { message: 'the upstream could not be reached' } })
})
