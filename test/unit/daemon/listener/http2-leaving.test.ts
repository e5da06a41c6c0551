import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ClientResponse } from '../../../../daemon/listener/client-request.ts'
import { createHttp2, type Http2 } from '../../../../daemon/listener/http2.ts'
import { connectH2, type H2Client, requestFields } from '../../../support/h2-client.ts'
import { FLAG, type Frame, headers, TYPE } from '../../../support/h2-frames.ts'
import { literals } from '../../../support/hpack.ts'
import { makeIdentity } from '../../../support/identities.ts'

const via = { peer: '192.0.2.7', secured: null }
const identity = makeIdentity(['localhost'])
/** What is asked and not answered yet, in order. */
let asked: ClientResponse[] = []
let isSlow = false
let http2: Http2
let server: Server
let url: string
beforeEach(async () => {
  asked = []
  isSlow = false
  http2 = createHttp2(
    {
      handle: async (_, response) => {
        asked.push(response)
        if (!isSlow) answer(response)
      },
      errorBody: String,
    },
    { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000 },
    () => [],
    () => performance.now(),
    () => {},
  )
  server = createServer({ ...identity, ALPNProtocols: ['h2'] }, (socket) => http2.take(socket, via))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  http2.cut()
  server.close()
})

const answer = (response: ClientResponse) => {
  response.writeHead(200, [])
  response.end(Buffer.from('yes'))
}
const ask = (...streams: readonly number[]): Buffer =>
  Buffer.concat(
    streams.map((stream) => headers(stream, literals(requestFields('GET', '/')), FLAG.endHeaders | FLAG.endStream)),
  )
const answered = (client: H2Client, stream: number) =>
  client.first((came) => (came.stream === stream && came.flags & FLAG.endStream ? true : undefined))
const begun = (client: H2Client) => client.first(({ type }) => (type === TYPE.settings ? true : undefined))
const left = (client: H2Client) => client.first(({ type }) => (type === TYPE.goAway ? true : undefined))
/** What a client is told that matters here: answers by their stream, GOAWAY with the last stream that is served. */
const told = (frames: readonly Frame[]): readonly string[] =>
  frames.flatMap(({ type, stream, payload }) => {
    if (type === TYPE.headers) return [`answer ${stream}`]
    if (type === TYPE.goAway) return [`leave after ${payload.readUInt32BE(0)}`]
    return type === TYPE.reset ? [`reset ${stream} ${payload.readUInt32BE(0)}`] : []
  })

describe('when the daemon ends', () => {
  test('who asks nothing is told with its next request, before the answer', async () => {
    using client = await connectH2(url)
    client.send(ask(1))
    await answered(client, 1)
    http2.drain()
    client.send(ask(3))
    await answered(client, 3)
    expect(told(client.frames)).toEqual(['answer 1', 'leave after 3', 'answer 3'])
  })

  test('all that comes in one breath is answered', async () => {
    using client = await connectH2(url)
    client.send(ask(1))
    await answered(client, 1)
    http2.drain()
    client.send(ask(3, 5, 7))
    await Promise.all([3, 5, 7].map((stream) => answered(client, stream)))
    expect(told(client.frames).slice(1)).toEqual(['leave after 7', 'answer 3', 'answer 5', 'answer 7'])
  })

  test('who waits for an answer is told at once, and gets it', async () => {
    isSlow = true
    using client = await connectH2(url)
    client.send(ask(1))
    await expect.poll(() => asked.length).toBe(1)
    http2.drain()
    await left(client)
    for (const response of asked) answer(response)
    await answered(client, 1)
    expect(told(client.frames)).toEqual(['leave after 1', 'answer 1'])
  })

  test('what crosses that is not served, and its client knows', async () => {
    isSlow = true
    using client = await connectH2(url)
    client.send(ask(1))
    await expect.poll(() => asked.length).toBe(1)
    http2.drain()
    client.send(ask(3))
    await left(client)
    for (const response of asked) answer(response)
    await answered(client, 1)
    http2.close()
    await client.first(() => undefined) // closed
    expect(told(client.frames).filter((each) => each !== 'reset 3 7')).toEqual([
      'leave after 1',
      'answer 1',
      'leave after 1',
    ])
    expect(asked).toHaveLength(1)
  })

  test('a connection whose first request is on its way is waited for', async () => {
    using client = await connectH2(url)
    await begun(client)
    http2.drain()
    http2.close()
    client.send(ask(1))
    await answered(client, 1)
    await client.first(() => undefined)
    expect(told(client.frames).slice(0, 2)).toEqual(['leave after 1', 'answer 1'])
  })

  test('one that asks nothing is closed', async () => {
    using used = await connectH2(url)
    using unused = await connectH2(url)
    await begun(unused)
    used.send(ask(1))
    await answered(used, 1)
    http2.drain()
    http2.close()
    for (const client of [used, unused]) await client.first(() => undefined)
    expect(asked).toHaveLength(1)
  })
})
