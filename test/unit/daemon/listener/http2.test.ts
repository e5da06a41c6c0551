import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ClientRequest, ClientResponse } from '../../../../daemon/listener/client-request.ts'
import { createHttp2 } from '../../../../daemon/listener/http2.ts'
import type { GateError } from '../../../../schemas/words/errors.ts'
import { connectH2, outcomeOf, requestFields } from '../../../support/h2-client.ts'
import { data, FLAG, type Frame, frame, headers, PREFACE, SETTING, settings, TYPE } from '../../../support/h2-frames.ts'
import { literals } from '../../../support/hpack.ts'
import { makeIdentity } from '../../../support/identities.ts'

const KIB = 2 ** 10
const CHUNK = 'x'.repeat(16 * KIB)
const via = { peer: '192.0.2.7', secured: null }
let handle: (request: ClientRequest, response: ClientResponse) => void
let server: Server
let url: string
beforeAll(async () => {
  const limits = { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000 }
  const answering = {
    handle: async (...all: Parameters<typeof handle>) => handle(...all),
    errorBody: ({ code }: GateError) => code,
  }
  const http2 = createHttp2(
    answering,
    limits,
    () => [],
    () => performance.now(),
    () => {},
  )
  server = createServer({ ...makeIdentity(['localhost']), ALPNProtocols: ['h2'] }, (socket) => http2.take(socket, via))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  handle = (_, response) => {
    response.writeHead(401, [])
    response.end(Buffer.from('who are you?'))
  }
})
afterAll(() => void server.close())

/** A client that takes not one byte of a body. */
const connectDeaf = () =>
  connectH2(url, { opening: [PREFACE, settings([SETTING.window, 0]), frame(TYPE.settings, FLAG.ack, 0)] })
const begun = (stream: number) => headers(stream, literals(requestFields('POST', '/')), FLAG.endHeaders)
const chunks = (stream: number, bytes: number) =>
  Array.from({ length: bytes / CHUNK.length }, () => data(stream, CHUNK, 0))
const windowIn = ({ type, flags, payload }: Frame): number | undefined => {
  if (type !== TYPE.settings || flags & FLAG.ack) return undefined
  for (let at = 0; at + 6 <= payload.length; at += 6)
    if (payload.readUInt16BE(at) === SETTING.window) return payload.readUInt32BE(at + 2)
  return undefined
}
/** What the server has read of a stream, as it says so. */
const readOf = (frames: readonly Frame[], stream: number): number =>
  frames
    .filter((came) => came.type === TYPE.windowUpdate && came.stream === stream)
    .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0)

test('a body that nobody has asked for may be 64 KiB, and more once one was wanted', async () => {
  using client = await connectH2(url)
  expect(await client.first(windowIn)).toBe(64 * KIB)
  handle = (request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, [])
      response.end()
    })
  }
  client.send(begun(1), data(1, 'x'))
  const windows = () => client.frames.flatMap((came) => windowIn(came) ?? [])
  await client.first(() => (windows().length > 1 ? true : undefined))
  expect(windows()).toEqual([64 * KIB, 256 * KIB])
})

test('what comes after an answer is not kept, also for a client that does not take the answer', async () => {
  using client = await connectDeaf()
  for (let stream = 1; stream < 200; stream += 2) client.send(begun(stream), ...chunks(stream, 48 * KIB))
  await client.first(({ type, stream }) => (type === TYPE.windowUpdate && stream === 199 ? true : undefined))
  for (let stream = 1; stream < 200; stream += 2) expect(readOf(client.frames, stream)).toBeGreaterThanOrEqual(32 * KIB)
})

test('nor is it when a part of it was read before', async () => {
  using client = await connectDeaf()
  handle = (request, response) => {
    request.once('data', () => {
      request.pause()
      response.writeHead(413, [])
      response.end(Buffer.from('that is too much'))
    })
  }
  client.send(begun(1), ...chunks(1, 48 * KIB))
  await client.first(() => (readOf(client.frames, 1) >= 32 * KIB ? true : undefined))
})

test('who goes on sending after an answer is cut off', async () => {
  using client = await connectDeaf()
  client.send(begun(1))
  let sent = 0
  const code = await client.first((came) => {
    if (came.type === TYPE.reset) return came.payload.readUInt32BE(0)
    if (came.type === TYPE.windowUpdate && came.stream === 0) return undefined
    for (; sent + CHUNK.length <= 48 * KIB + readOf(client.frames, 1); sent += CHUNK.length)
      client.send(data(1, CHUNK, 0))
    return undefined
  })
  expect(code).toBe(11)
  expect(sent).toBeLessThan(1_200 * KIB)
})

test('CONNECT is answered and over, whatever its client takes', async () => {
  using client = await connectDeaf()
  const fields = literals([
    [':method', 'CONNECT'],
    [':authority', 'elsewhere.test:443'],
  ])
  client.send(headers(1, fields, FLAG.endHeaders))
  const isOver = ({ type, stream }: Frame) => (type === TYPE.reset && stream === 1 ? true : undefined)
  expect(await client.first(isOver)).toBe(true)
  using other = await connectDeaf()
  expect(await outcomeOf(other, [headers(1, fields, FLAG.endHeaders)], 1)).toEqual({
    kind: 'answered',
    status: 405,
    body: '',
  })
})

test.each([
  { name: 'headers of 15 KiB', bytes: 15 * KIB, status: 401, body: 'who are you?' },
  { name: 'headers of 17 KiB', bytes: 17 * KIB, status: 431, body: 'HEADERS_TOO_LARGE' },
  { name: 'headers of 60 KiB', bytes: 60 * KIB, status: 431, body: 'HEADERS_TOO_LARGE' },
])('$name: $status', async ({ bytes, status, body }) => {
  using client = await connectH2(url)
  const block = literals(requestFields('GET', '/', [['x-long', 'a'.repeat(bytes)]]))
  const parts = Array.from({ length: Math.ceil(block.length / CHUNK.length) }, (_, i) =>
    block.subarray(i * CHUNK.length, (i + 1) * CHUNK.length),
  )
  const [first = Buffer.of(), ...more] = parts
  const isAll = more.length === 0
  const sent = [
    headers(1, first, FLAG.endStream | (isAll ? FLAG.endHeaders : 0)),
    ...more.map((part, i) => frame(TYPE.continuation, i === more.length - 1 ? FLAG.endHeaders : 0, 1, part)),
  ]
  expect(await outcomeOf(client, sent, 1)).toEqual({ kind: 'answered', status, body })
})
