// What a gateway that was let in, but does not keep to the protocol, can do to the other one.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Connection } from '../../../../../daemon/listener/connection.ts'
import { FRAME, frameOf, frameReader, ID_BYTES, MOST_DATA_BYTES } from '../../../../../daemon/relay/peers/frames.ts'
import { createPeerTls, type PeerTls } from '../../../../../daemon/relay/peers/peer-tls.ts'
import { PEER_ALPN } from '../../../../../daemon/relay/peers/protocol.ts'
import { until } from '../../../../support/daemon.ts'
import { ed25519Identity, portOf } from '../../../../support/relay.ts'

type Identity = Awaited<ReturnType<typeof ed25519Identity>>
let own: Identity
let other: Identity
let tls: PeerTls
let server: Server
let isPinned = true
const channels: Connection[] = []
const open: TLSSocket[] = []

beforeAll(async () => {
  own = await ed25519Identity()
  other = await ed25519Identity()
  tls = createPeerTls({
    identity: { ...other, nodeId: other.id, sign: () => Buffer.alloc(0) },
    isPinned: () => isPinned,
    now: () => 0,
    log: () => {},
  })
  server = createServer((socket) =>
    tls.take(socket, { peer: '127.0.0.1', secured: null }, (channel, _, isNew) => {
      if (isNew) channels.push(channel)
    }),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  isPinned = true
  for (const socket of open.splice(0)) socket.destroy()
  channels.length = 0
})
afterAll(() => void server.close())

/** Says something over a connection of its own. @returns the frames that come back, as long as it is open */
async function say(...said: Buffer[]) {
  const { key, cert } = own
  const socket = connect({ port: portOf(server), key, cert, ALPNProtocols: [PEER_ALPN], rejectUnauthorized: false })
  open.push(socket)
  const frames: number[] = []
  socket.on('error', () => {})
  socket.on(
    'data',
    frameReader(({ type }) => void frames.push(type)),
  )
  await once(socket, 'secureConnect')
  for (const bytes of said) socket.write(bytes)
  return { socket, frames, closed: new Promise((resolve) => socket.once('close', resolve)) }
}
const data = (bytes: number) => frameOf(FRAME.data, bytes, Buffer.alloc(bytes))
const id = () => randomBytes(ID_BYTES)

test.each<{ what: string; said: () => Buffer[]; frames: number[] }>([
  { what: 'something else than a channel', said: () => [data(100)], frames: [] },
  { what: 'no frame', said: () => [Buffer.alloc(100, 'x')], frames: [] },
  { what: 'a channel that is not known', said: () => [frameOf(FRAME.resume, 0, id())], frames: [FRAME.gone] },
  {
    what: 'that more was received than was sent',
    said: () => [frameOf(FRAME.begin, 77, id())],
    frames: [FRAME.close],
  },
  {
    what: 'that more was taken than was sent',
    said: () => [frameOf(FRAME.begin, 0, id()), frameOf(FRAME.taken, 77)],
    frames: [FRAME.welcome, FRAME.close],
  },
  {
    what: 'more than fits into the window',
    said: () => [frameOf(FRAME.begin, 0, id()), ...Array.from({ length: 18 }, () => data(MOST_DATA_BYTES))],
    frames: [FRAME.welcome, FRAME.close],
  },
])('who says $what is shown the door', async ({ said, frames }) => {
  const one = await say(...said())
  await one.closed
  expect(one.frames.filter((frame) => frame !== FRAME.welcome || frames.includes(frame))).toEqual(frames)
})

test('who is shown the door and keeps its own side open is cut off', async () => {
  const { key, cert } = own
  const place = { port: portOf(server), allowHalfOpen: true }
  const accepted = once(server, 'connection')
  const socket = connect({ ...place, key, cert, ALPNProtocols: [PEER_ALPN], rejectUnauthorized: false })
  open.push(socket)
  socket.on('error', () => {}).resume()
  await once(socket, 'secureConnect')
  socket.write(frameOf(FRAME.resume, 0, id()))
  const [connection] = await accepted
  await once(connection, 'close')
})

test('a channel begins once: the id of one that is over is refused', async () => {
  const name = id()
  const first = await say(frameOf(FRAME.begin, 0, name))
  await until(() => channels.length === 1)
  channels[0]?.destroy()
  await first.closed
  const again = await say(frameOf(FRAME.begin, 0, name))
  await again.closed
  expect([again.frames, channels.length]).toEqual([[FRAME.gone], 1])
})

test('a gateway has 512 channels at most, and none when it may not connect any more', async () => {
  const begin = () => say(frameOf(FRAME.begin, 0, id()))
  for (let n = 0; n < 512; n += 32) await Promise.all(Array.from({ length: 32 }, begin))
  await until(() => channels.length === 512)
  const more = await begin()
  await more.closed
  expect(more.frames).toEqual([FRAME.gone])
  isPinned = false
  tls.endUnpinned()
  expect(channels.every(({ destroyed }) => destroyed)).toBe(true)
})
