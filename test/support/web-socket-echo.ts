import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const [TEXT, CLOSE] = [0x81, 0x88]

/** Answers an upgrade, and says back each short text in capitals. */
export function answerWebSocket(request: IncomingMessage, socket: Socket): void {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  let held: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    // first byte, then mask bit and length below 126, then four bytes of mask
    for (let bytes = frameBytes(held); bytes <= held.length; bytes = frameBytes(held)) {
      const [first, mask] = [held[0], held.subarray(2, 6)]
      const payload = held.subarray(6, bytes).map((byte, at) => byte ^ (mask[at % 4] ?? 0))
      held = held.subarray(bytes)
      if (first === CLOSE) return void socket.end(Buffer.concat([Buffer.from([CLOSE, payload.length]), payload]))
      const said = Buffer.from(payload.toString().toUpperCase())
      socket.write(Buffer.concat([Buffer.from([TEXT, said.length]), said]))
    }
  })
}

const frameBytes = (held: Buffer): number => (held.length < 2 ? Number.POSITIVE_INFINITY : 6 + ((held[1] ?? 0) & 127))
