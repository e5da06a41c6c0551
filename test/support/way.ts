import { connect, createServer, type Server, type Socket } from 'node:net'
import { portOf } from './relay.ts'

/** A way to a port of this host, which a test can cut: sockets are reset or closed, and no new one gets through. */
export type Way = {
  readonly port: number
  /** Connections that have gone through. */
  passed: number
  /** Pieces of bytes that have gone through, both ways. */
  pieces: number
  /** Bytes that have gone through towards the port. */
  bytesIn: number
  /** Bytes that have come back. */
  bytesOut: number
  /** Nothing goes through any more, and no one is told. */
  isSilent: boolean
  /** Is asked after each piece; true: the way is cut, and the piece is lost. */
  isOver: (way: Way) => boolean
  cut: () => Promise<void>
  mend: () => Promise<void>
}

export async function startWay(target: number): Promise<Way> {
  const sockets = new Set<Socket>()
  const way: Way & { port: number } = {
    port: 0,
    passed: 0,
    pieces: 0,
    bytesIn: 0,
    bytesOut: 0,
    isSilent: false,
    isOver: () => false,
    cut,
    mend,
  }
  const server: Server = createServer((socket) => {
    way.passed += 1
    const other = connect(target, '127.0.0.1')
    const pass = (from: Socket, to: Socket, count: (bytes: number) => void) => {
      sockets.add(from)
      from.setNoDelay(true)
      from.on('error', () => {})
      from.on('data', (chunk: Buffer) => {
        way.pieces += 1
        count(chunk.length)
        if (way.isOver(way)) void cut()
        else if (way.isSilent) return
        else if (!to.write(chunk)) {
          from.pause()
          to.once('drain', () => from.resume())
        }
      })
      from.once('close', () => {
        sockets.delete(from)
        socket.destroy()
        other.destroy()
      })
    }
    pass(socket, other, (bytes) => {
      way.bytesIn += bytes
    })
    pass(other, socket, (bytes) => {
      way.bytesOut += bytes
    })
  })
  function mend(): Promise<void> {
    way.isOver = () => false
    way.isSilent = false
    return new Promise((resolve) => server.listen(way.port, '127.0.0.1', resolve))
  }
  async function cut(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.resetAndDestroy()
    await closed
  }
  await mend()
  way.port = portOf(server)
  return way
}
