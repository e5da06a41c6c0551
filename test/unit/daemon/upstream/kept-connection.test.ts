import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { buildConnector } from 'undici'
import { afterEach, expect, test } from 'vitest'
import type { UsageRow } from '../../../../daemon/meter/usage.ts'
import { countingClient } from '../../../../daemon/upstream/connector.ts'
import { forward } from '../../../../daemon/upstream/forward.ts'
import { chatBody } from '../../../support/chat.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { completion, sendJson } from '../../../support/fake-upstream.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Two requests in turn. @param second what the upstream does with each that comes after the first */
async function statusesWhen(second: (response: ServerResponse) => void) {
  let count = 0
  const server = createServer((request, response) => {
    request.resume()
    count += 1
    if (count === 1) sendJson(response, 200, completion('first'))
    else second(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const rows: UsageRow[] = []
  const ask = await asking((server.address() as AddressInfo).port, rows)
  closing.push(() => server.close())
  return { statuses: [await ask(), await ask()], requests: count, rows }
}

/** Starts a data plane in front of a port. @returns asks it once, for the status */
async function asking(port: number, rows: UsageRow[] = []): Promise<() => Promise<number>> {
  const base_url = `http://127.0.0.1:${port}/v1`
  const ledger = { settle: async (row: UsageRow) => void rows.push(row), refusal: () => null }
  const plane = await startDataPlane(
    { upstreams: { mock: { provider: 'custom', base_url, models: ['m'] } } },
    { parts: { ledger } },
  )
  closing.push(plane.stop)
  return async () => {
    const response = await fetch(`${plane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: chatBody('x', { model: 'm' }),
    })
    await response.arrayBuffer()
    return response.status
  }
}

const cut = (response: ServerResponse) => void response.destroy()

test('B11: a kept connection that is closed as the next request starts costs nobody an answer', async () => {
  let isFirst = true
  const seen = await statusesWhen((response) => {
    if (isFirst) cut(response)
    else sendJson(response, 200, completion('again'))
    isFirst = false
  })
  expect(seen).toMatchObject({ statuses: [200, 200], requests: 3 })
  expect(seen.rows.map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
})

/** What an upstream does with its requests, in their order; with those after these it does the last one. */
const DEEDS = {
  answers: (socket: Socket) => void socket.write(ANSWER),
  closes: (socket: Socket) => void socket.end(),
  resets: (socket: Socket) => void socket.resetAndDestroy(),
  'begins and closes': (socket: Socket) => void socket.end('HTTP/1.1 2'),
  'informs and closes': (socket: Socket) => void socket.end('HTTP/1.1 102 Processing\r\n\r\n'),
}
const TEXT = JSON.stringify(completion('hi'))
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${TEXT.length}\r\n\r\n${TEXT}`

test.each<{ does: readonly (keyof typeof DEEDS)[]; asked: number; statuses: readonly number[]; seen: number }>([
  // a fresh connection: what was sent may have been run
  { does: ['closes', 'answers'], asked: 1, statuses: [502], seen: 1 },
  { does: ['resets', 'answers'], asked: 1, statuses: [502], seen: 1 },
  { does: ['begins and closes', 'answers'], asked: 1, statuses: [502], seen: 1 },
  // a kept one, over which nothing came back
  { does: ['answers', 'closes', 'answers'], asked: 2, statuses: [200, 200], seen: 3 },
  { does: ['answers', 'resets', 'answers'], asked: 2, statuses: [200, 200], seen: 3 },
  { does: ['answers', 'closes', 'closes'], asked: 2, statuses: [200, 502], seen: 3 },
  { does: ['answers', 'closes', 'answers', 'closes', 'answers'], asked: 3, statuses: [200, 200, 502], seen: 4 },
  // a kept one, over which something came
  { does: ['answers', 'begins and closes', 'answers'], asked: 2, statuses: [200, 502], seen: 2 },
  { does: ['answers', 'informs and closes', 'answers'], asked: 2, statuses: [200, 502], seen: 2 },
])('B11: an upstream that $does is sent $seen requests for $asked', async ({ does, asked, statuses, seen }) => {
  let count = 0
  const server = createTcpServer((socket) => {
    socket.on('error', () => {})
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!text.endsWith('}')) return // the body is on its way
      text = ''
      const deed = does[Math.min(count, does.length - 1)]
      count += 1
      if (deed !== undefined) DEEDS[deed](socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const ask = await asking((server.address() as AddressInfo).port)
  closing.push(() => server.close())
  const got: number[] = []
  for (let i = 0; i < asked; i += 1) got.push(await ask())
  expect([got, count]).toEqual([statuses, seen])
})

test('B11: a new connection that is closed, too, is not followed by a third', async () => {
  expect(await statusesWhen(cut)).toMatchObject({ statuses: [200, 502], requests: 3 })
})

test('B11: what has begun to be answered is not sent again', async () => {
  const seen = await statusesWhen((response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('x', () => response.destroy())
  })
  expect(seen).toMatchObject({ statuses: [200, 502], requests: 2 })
})

test('B11: a request that is never begun, since the kept connection was reset just before, may be sent again', async () => {
  const server = createServer((request, response) => {
    request.resume()
    sendJson(response, 200, completion('hi'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const sockets: Socket[] = []
  const connect = buildConnector({})
  const client = countingClient(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), {
    allowH2: false,
    connect: (to, callback) =>
      connect(to, (...result) => {
        if (result[1] !== null) sockets.push(result[1])
        callback(...result)
      }),
  })
  closing.push(() => client.destroy())
  const ask = () =>
    forward(
      {
        dispatcher: client,
        method: 'POST',
        path: '/',
        headers: [],
        body: Buffer.from('{}'),
        headersTimeoutMs: 5_000,
        idleTimeoutMs: 5_000,
        redactor: null,
        hold: () => {},
      },
      { started: () => false, start: () => {}, write: () => true, onDrain: () => {}, onGone: () => {} },
      {
        mediaType: 'none/none',
        looksLikeStream: () => false,
        watch: () => {
          throw new RangeError('nothing is a stream')
        },
        isWhole: true,
        failureOf: () => null,
      },
      () => 0,
    )
  expect(await ask()).toMatchObject({ kind: 'answered' })
  sockets[0]?.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  expect(await ask()).toMatchObject({ kind: 'unreached', wasKept: true })
})
