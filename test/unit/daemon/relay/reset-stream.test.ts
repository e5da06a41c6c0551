import { once } from 'node:events'
import { connect, createServer } from 'node:http2'
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { resetStream } from '../../../../daemon/relay/reset-stream.ts'
import { portOf } from '../../../support/relay.ts'

const FRAME_HEAD_BYTES = 9
/** RFC 9113 section 6. */
const [DATA, RST_STREAM, END_STREAM] = [0, 3, 1]

/** What is told of streams, in order. */
function told(bytes: Buffer): string[] {
  const events: string[] = []
  for (let at = 0; at + FRAME_HEAD_BYTES <= bytes.length; at += FRAME_HEAD_BYTES + bytes.readUIntBE(at, 3)) {
    const [type, flags] = [bytes[at + 3], bytes[at + 4] ?? 0]
    if (type === DATA) events.push((flags & END_STREAM) === 0 ? 'data' : 'end')
    if (type === RST_STREAM) events.push('reset')
  }
  return events
}

test.each([
  { what: 'no end before its reset', end: resetStream, expected: ['data', 'reset'] },
  {
    what: 'an end before its reset by close(code)',
    end: (stream: { close(code: number): void }) => stream.close(8),
    expected: ['data', 'end', 'reset'],
  },
])('a stream has $what', async ({ end, expected }) => {
  const server = createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.respond({ ':status': 200 })
    stream.write('answer')
    stream.once('data', () => end(stream))
  })
  const bytes: Buffer[] = []
  const sockets: Socket[] = []
  const proxy = createTcpServer((socket) => {
    const upstream = connectTcp(portOf(server as never), '127.0.0.1')
    sockets.push(socket, upstream)
    upstream.on('data', (chunk) => bytes.push(chunk))
    socket.pipe(upstream).pipe(socket)
  })
  for (const one of [server, proxy]) await once(one.listen(0, '127.0.0.1'), 'listening')
  const session = connect(`http://127.0.0.1:${portOf(proxy)}`)
  const stream = session.request({ ':method': 'CONNECT', ':authority': 'home.test:443' })
  stream.on('error', () => {})
  await once(stream, 'data')
  stream.write('question')
  await once(stream, 'close')
  expect(told(Buffer.concat(bytes))).toEqual(expected)
  session.destroy()
  for (const socket of sockets) socket.destroy()
  proxy.close()
  server.close()
})
