import { connect as connectTcp, createServer } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'

/** What came back for bytes that were sent first: a ServerHello, an alert by its number, or the end. */
export type HelloAnswer = 'hello' | 'closed' | `alert ${number}`

/** The first bytes of Node's own TLS client, for the record it sends to a server that never answers. */
export async function captureHello(options: ConnectionOptions = {}): Promise<Buffer> {
  const server = createServer()
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
    const hello = new Promise<Buffer>((resolve) =>
      server.once('connection', (socket) => {
        let bytes: Buffer = Buffer.of()
        socket.on('error', () => {})
        socket.on('data', (chunk) => {
          bytes = Buffer.concat([bytes, chunk])
          if (bytes.length < 5 || bytes.length < 5 + bytes.readUInt16BE(3)) return
          socket.destroy()
          resolve(bytes)
        })
      }),
    )
    const client = connect({ host: '127.0.0.1', port: address.port, servername: 'localhost', ...options })
    client.on('error', () => {})
    return await hello
  } finally {
    server.close()
  }
}

type Extension = readonly [type: number, content: Buffer]

/** Number of the extension that names the server. @see https://www.rfc-editor.org/rfc/rfc6066#section-3 */
export const SERVER_NAME = 0

/** Type, version and length of the record; type and length of the message; version and random. */
const BEFORE_SESSION = 5 + 4 + 2 + 32

/** The same hello with other extensions, in one record with right lengths. @param hello one record */
export function withExtensions(
  hello: Buffer,
  change: (extensions: readonly Extension[]) => readonly Extension[],
): Buffer {
  let at = BEFORE_SESSION
  at += 1 + hello.readUInt8(at) // session
  at += 2 + hello.readUInt16BE(at) // cipher suites
  at += 1 + hello.readUInt8(at) // compression
  const extensions: Extension[] = []
  for (let next = at + 2; next < hello.length; ) {
    const end = next + 4 + hello.readUInt16BE(next + 2)
    extensions.push([hello.readUInt16BE(next), hello.subarray(next + 4, end)])
    next = end
  }
  const list = Buffer.concat(
    change(extensions).map(([type, content]) => Buffer.concat([number(type, 2), sized(content, 2)])),
  )
  const body = Buffer.concat([hello.subarray(9, at), sized(list, 2)])
  return record(22, Buffer.concat([Buffer.of(1), sized(body, 3)]))
}

/** The same hello for another name, whatever bytes it has. @param type of the name; 0 is a host's */
export const withName = (hello: Buffer, name: string | Buffer, type = 0): Buffer =>
  withExtensions(hello, (extensions) => [
    [SERVER_NAME, sized(Buffer.concat([Buffer.of(type), sized(Buffer.from(name), 2)]), 2)],
    ...extensions.filter(([other]) => other !== SERVER_NAME),
  ])

/** @see https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
export const record = (type: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.of(type, 3, 1), sized(content, 2)])

/** A record for each piece of a message. */
export function inRecords(hello: Buffer, bytesEach: number): Buffer {
  const message = hello.subarray(5)
  const pieces = Array.from({ length: Math.ceil(message.length / bytesEach) }, (_, i) =>
    record(22, message.subarray(i * bytesEach, (i + 1) * bytesEach)),
  )
  return Buffer.concat(pieces)
}

const number = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}

const sized = (content: Buffer, bytes: number): Buffer => Buffer.concat([number(content.length, bytes), content])

/**
 * Sends pieces, each in a packet of its own, and waits for the first record that comes back or for the end.
 * @param ends says that nothing more will come, where the pieces are no whole hello
 * @throws Error after `deadlineMs`
 */
export function answerToHello(
  url: string,
  pieces: readonly Buffer[],
  { ends = false, deadlineMs = 20_000 } = {},
): Promise<HelloAnswer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.of()
    const socket = connectTcp({ host: hostname, port: Number(port), noDelay: true })
    const timer = setTimeout(() => socket.destroy(new Error(`no end after ${deadlineMs} ms`)), deadlineMs)
    const conclude = (answer: HelloAnswer) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      if (bytes[0] === 22 && bytes.length >= 6) conclude('hello')
      else if (bytes[0] === 21 && bytes.length >= 7) conclude(`alert ${bytes.readUInt8(6)}`)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve('closed')
      else reject(error)
    })
    socket.on('close', () => conclude('closed'))
    void sendEach(socket, pieces).then(() => (ends ? socket.end() : undefined))
  })
}

async function sendEach(socket: ReturnType<typeof connectTcp>, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (!socket.writable) return
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()))
    await new Promise(setImmediate)
  }
}
