import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { captureHello, withExtensions, withName } from './client-hello.ts'

/** A ClientHello for a name, without asking Node for it each time. */
export async function helloMaker(protocols?: readonly string[]): Promise<(name: string | null) => Buffer> {
  const hello = await captureHello(protocols === undefined ? {} : { ALPNProtocols: [...protocols] })
  return (name) =>
    name === null
      ? withExtensions(hello, (extensions) => extensions.filter(([type]) => type !== 0))
      : withName(hello, name)
}

export type Visitor = {
  readonly socket: Socket
  /** All that has come back so far. */
  readonly got: () => Buffer
  /** Waits until so many bytes have come back. */
  readonly receive: (bytes: number) => Promise<Buffer>
  /** How it ended: `end` before `closed` when the other side said so. */
  readonly ended: Promise<void>
  readonly closed: Promise<'closed' | 'reset'>
}

/** Connects and says something first. */
export async function visit(
  port: number,
  first: Buffer | string,
  { from = '127.0.0.1', host = '127.0.0.1' } = {},
): Promise<Visitor> {
  const socket = connect({ port, host, ...(host.includes(':') ? {} : { localAddress: from }), allowHalfOpen: true })
  socket.setNoDelay(true)
  let bytes: Buffer = Buffer.alloc(0)
  let isReset = false
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
  })
  socket.on('error', () => {
    isReset = true
  })
  const closed = new Promise<'closed' | 'reset'>((resolve) =>
    socket.once('close', () => resolve(isReset ? 'reset' : 'closed')),
  )
  const ended = new Promise<void>((resolve) => socket.once('end', resolve))
  await Promise.race([once(socket, 'connect'), closed])
  socket.write(first)
  return {
    socket,
    got: () => bytes,
    receive: (count) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (bytes.length < count) return
          socket.off('data', look)
          resolve(bytes)
        }
        socket.on('data', look)
        void closed.then(() => reject(new Error(`closed after ${bytes.length} of ${count} bytes`)))
        look()
      }),
    ended,
    closed,
  }
}

/** What a visitor that says this is told: an alert, a status, or nothing before the end. */
export async function answerTo(port: number, first: Buffer | string, options = {}): Promise<string> {
  const visitor = await visit(port, first, options)
  await Promise.race([visitor.closed, visitor.ended])
  visitor.socket.destroy()
  const bytes = visitor.got()
  if (bytes[0] === 21) return `alert ${bytes[6]}`
  return bytes.length === 0 ? 'closed' : bytes.toString('latin1', 0, 12)
}
