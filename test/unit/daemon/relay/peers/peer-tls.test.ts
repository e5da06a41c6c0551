import { once } from 'node:events'
import { createServer } from 'node:net'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { createPeerTls } from '../../../../../daemon/relay/peers/peer-tls.ts'
import { PEER_ALPN } from '../../../../../daemon/relay/peers/protocol.ts'
import { ed25519Identity, portOf } from '../../../../support/relay.ts'

test('however many come whose keys are not known, the log gets a line a minute, which counts them', async () => {
  let nowMs = 0
  const lines: unknown[] = []
  const [own, stranger] = [await ed25519Identity(), await ed25519Identity()]
  const tls = createPeerTls({
    identity: { ...own, nodeId: own.id, sign: () => Buffer.alloc(0) },
    isPinned: () => false,
    now: () => nowMs,
    log: (_, message, fields) => void lines.push({ message, ...fields }),
  })
  const server = createServer((socket) => tls.take(socket, { peer: '127.0.0.1', secured: null }, () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const come = async () => {
    const { key, cert } = stranger
    const socket = connect({ port: portOf(server), key, cert, ALPNProtocols: [PEER_ALPN], rejectUnauthorized: false })
    socket.on('error', () => {}).resume()
    await once(socket, 'close')
  }
  for (let i = 0; i < 5; i++) await come()
  nowMs = 60_000
  await come()
  await new Promise((resolve) => server.close(resolve))
  const message = 'a gateway whose key is not known here was refused'
  expect(lines).toEqual([
    { message, subject: stranger.id, count: 1 },
    { message, subject: stranger.id, count: 5 },
  ])
})
