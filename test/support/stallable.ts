import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { portOf } from './relay.ts'

/** A proxy of TCP that can stop passing bytes on without a word, as a cable that was pulled. */
export async function stallable(target: number) {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect({ port: target, host: '127.0.0.1' })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => sockets.delete(socket))
    }
    client.pipe(upstream).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: portOf(server),
    stall() {
      for (const socket of sockets) {
        socket.unpipe()
        socket.pause()
      }
    },
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
