import { readFirstBytes } from '../../wire/first-bytes.ts'
import { type ProxyReading, readProxyHeader } from '../../wire/proxy-protocol.ts'
import type { Connection } from './connection.ts'
import type { Layer } from './http.ts'
import type { Via } from './via.ts'

/** A proxy sends its header with the connection; one that does not is no such proxy. */
const HEADER_MS = 5_000

type Accept = Layer['accept']

/**
 * Takes who a client is from the header that a trusted proxy puts before the connection. A trusted proxy must send one;
 * from any other peer nothing of the kind is read, so that it is refused as what it is not.
 * @param isTrusted whether a peer is such a proxy, now
 */
export function afterProxyHeader(isTrusted: (peer: string) => boolean, accept: Accept): Accept {
  return (socket, via, next) => {
    if (via.peer === null || !isTrusted(via.peer)) {
      accept(socket, via, next)
      return
    }
    socket.on('error', () => socket.destroy())
    readFirstBytes(socket, headerReader(), HEADER_MS, (reading) => {
      if (reading?.kind === 'proxied') accept(socket, { ...via, peer: reading.peer ?? via.peer }, next)
      else socket.destroy()
    })
  }
}

function headerReader() {
  let bytes = Buffer.alloc(0)
  return (chunk: Buffer): { readonly found: ProxyReading; readonly used: number } | undefined => {
    bytes = Buffer.concat([bytes, chunk])
    const found = readProxyHeader(bytes)
    if (found.kind === 'more') return undefined
    return { found, used: found.kind === 'proxied' ? found.bytes : 0 }
  }
}

/** HTTP/1.1 right after the header, without anything in between. */
export const PLAIN: Layer = {
  scheme: 'http',
  accept(socket: Connection, via: Via, next) {
    next(socket, via)
    socket.resume() // paused since its first bytes were read
  },
  headersFor: () => [],
  drain: () => {},
  closeIdle: () => {},
  cut: () => {},
}
