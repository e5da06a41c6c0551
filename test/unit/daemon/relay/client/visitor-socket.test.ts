import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, createServer, type Http2Server } from 'node:http2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { VisitorSocket } from '../../../../../daemon/relay/client/visitor-socket.ts'
import { portOf } from '../../../../support/relay.ts'

let server: Http2Server
let relay: ClientHttp2Session
let serve: (visitor: VisitorSocket) => void

beforeAll(async () => {
  server = createServer()
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200 })
    serve(new VisitorSocket(stream))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  relay = connect(`http://127.0.0.1:${portOf(server)}`)
})
afterAll(async () => {
  relay.destroy()
  await new Promise((resolve) => server.close(resolve))
})

/** What a relay sees of a connection, in order. */
function seenOf(stream: ClientHttp2Stream): string[] {
  const seen: string[] = []
  stream.on('error', () => {})
  stream.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
  stream.on('aborted', () => seen.push('reset'))
  stream.on('close', () => seen.push(`closed ${stream.rstCode}`))
  return seen
}

test.each([
  {
    what: 'is told the end, and may go on until it has read all, when the home closes whole',
    close: (visitor: VisitorSocket) => visitor.end('answer', () => visitor.destroy()),
    expected: ['answer', 'closed 0'],
  },
  {
    what: 'is reset when the home closes in the middle',
    close: (visitor: VisitorSocket) => visitor.write('answ', () => visitor.destroy()),
    expected: ['answ', 'reset', 'closed 8'],
  },
])('a visitor $what', async ({ close, expected }) => {
  serve = (visitor) => {
    visitor.on('error', () => {})
    visitor.once('data', () => close(visitor))
  }
  const stream = relay.request({ ':method': 'CONNECT', ':authority': 'home.test:443' })
  const seen = seenOf(stream)
  stream.write('question')
  stream.once('end', () => {
    if (!stream.aborted) stream.write('what it did not know was too late', () => stream.end())
  })
  await once(stream, 'close')
  expect(seen).toEqual(expected)
})
