import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeIdentity } from '../../../../../daemon/relay/client/identity.ts'
import { openNodeKey } from '../../../../../daemon/relay/client/node-key.ts'
import { createRoom, type Room } from '../../../../../daemon/relay/client/room.ts'
import { openTunnel, type Tunnel } from '../../../../../daemon/relay/client/tunnel.ts'
import type { VisitorSocket } from '../../../../../daemon/relay/client/visitor-socket.ts'
import { until } from '../../../../support/daemon.ts'
import { FLAG, frame, TYPE } from '../../../../support/h2-frames.ts'
import { type RawRelay, startRawRelay, visitorHeaders } from '../../../../support/raw-relay.ts'
import { temporaryDirectory } from '../../../../support/temporary-directory.ts'

const NAME = 'ai.example.net'
let folder: ReturnType<typeof temporaryDirectory>
let relay: RawRelay
let tunnel: Tunnel
let visitors: VisitorSocket[]
beforeEach(async () => {
  folder = temporaryDirectory()
  relay = await startRawRelay(NAME)
  visitors = []
})
afterEach(async () => {
  tunnel.cut()
  await relay.stop()
  folder.remove()
})

async function begin(room: Room): Promise<void> {
  tunnel = await openTunnel(
    {
      identity: await nodeIdentity(openNodeKey(folder.path)),
      trust: { ca: undefined, pins: [relay.pin] },
      instanceId: 'one',
      take: (socket) => void visitors.push(socket),
      pass: () => false,
      room,
      mayBeOwn: (name) => name === NAME,
      isDraining: () => false,
      named: () => {},
      now: () => performance.now(),
      wall: Date.now,
    },
    { host: '127.0.0.1', port: relay.port, servername: '127.0.0.1', mayBePrivate: true },
    AbortSignal.timeout(10_000),
  )
}

const say = (...frames: readonly Buffer[]) => relay.socket().write(Buffer.concat(frames))
const pieces = (stream: number, count: number, bytes: number): Buffer[] =>
  Array.from({ length: count }, () => frame(TYPE.data, 0, stream, Buffer.alloc(bytes)))

test.each([
  { name: 'whole frames', count: 12, bytes: 2 ** 14 },
  { name: 'single bytes', count: 700, bytes: 1 },
])('what waits for visitors that do not read is bounded, as $name', async ({ count, bytes }) => {
  const room = createRoom(100, 2 ** 19)
  await begin(room)
  const streams = [3, 5, 7, 9, 11, 13]
  say(...streams.map((stream) => visitorHeaders(stream, NAME)))
  await until(() => visitors.length === streams.length)
  for (const stream of streams) say(...pieces(stream, count, bytes))
  await until(() => room.visitors() < streams.length)
  expect(room.heldBytes()).toBeLessThan(2 ** 19)
  expect(room.visitors()).toBeGreaterThan(0)
  expect(visitors.filter(({ destroyed }) => destroyed).length).toBeGreaterThan(0)
})

test('what is read takes no room, and a visitor that has left none either', async () => {
  const room = createRoom(100, 2 ** 19)
  await begin(room)
  say(visitorHeaders(3, NAME))
  await until(() => visitors.length === 1)
  const [visitor] = visitors
  let got = 0
  visitor?.on('data', (chunk: Buffer) => {
    got += chunk.length
  })
  for (let round = 1; round <= 8; round++) {
    say(...pieces(3, 8, 2 ** 14))
    await until(() => got === round * 2 ** 17) // twice as much as there is room for, all in all
  }
  expect(room.heldBytes()).toBe(0)
  visitor?.pause()
  say(...pieces(3, 4, 2 ** 14))
  await until(() => room.heldBytes() > 0)
  say(frame(TYPE.reset, 0, 3, Buffer.of(0, 0, 0, 8)))
  await until(() => room.visitors() === 0)
  expect(room.heldBytes()).toBe(0)
})

test('no more visitors are let in than there is place for', async () => {
  const room = createRoom(2)
  await begin(room)
  say(...[3, 5, 7].map((stream) => visitorHeaders(stream, NAME)))
  await until(() => visitors.length === 2)
  say(frame(TYPE.reset, 0, 3, Buffer.of(0, 0, 0, 8)))
  await until(() => room.visitors() === 1)
  say(visitorHeaders(9, NAME))
  await until(() => visitors.length === 3)
})

test('the end of a visitor is the last of its bytes', async () => {
  await begin(createRoom())
  say(visitorHeaders(3, NAME))
  await until(() => visitors.length === 1)
  const [visitor] = visitors
  say(...pieces(3, 40, 1_000), frame(TYPE.data, FLAG.endStream, 3, Buffer.from('the end')))
  let text = ''
  for await (const chunk of visitor ?? []) text += String(chunk)
  expect(text.length).toBe(40_007)
  expect(text.endsWith('the end')).toBe(true)
})

test('a visitor that is reset in the frame after its first is none', async () => {
  await begin(createRoom())
  const gone = Array.from({ length: 200 }, (_, i) => 3 + 2 * i)
  const reset = (stream: number) => frame(TYPE.reset, 0, stream, Buffer.of(0, 0, 0, 8))
  say(
    ...gone.flatMap((stream) => [visitorHeaders(stream, stream % 4 === 1 ? NAME : 'other.example.net'), reset(stream)]),
  )
  say(visitorHeaders(1_001, NAME))
  await until(() => visitors.some(({ destroyed }) => !destroyed))
  expect(tunnel.isOpen()).toBe(true)
})
