import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { hostPort } from '../../../schemas/words/address.ts'
import { codeOf } from '../../../system/error-code.ts'
import type { Relay } from '../server/relay.ts'
import type { Ground } from './ground.ts'

/** Connections that wait while the loop is busy. */
const BACKLOG = 4_096
/** What waits for a visitor before its home is held up: with Node's 64 KB each read of a tunnel would hold it up. */
const WAITING_BYTES = 2 ** 18

type ListenAt = { readonly host: string; readonly port: number; readonly backlog: number } | { readonly fd: number }

/** The ports for visitors and nodes: those that systemd opened, else this relay's own. */
export function createListeners(ground: Ground, relay: Relay) {
  const { activation, config } = ground
  const { bind_address: host, https_port, p2p_port } = config()
  const own = (port: number): ListenAt[] => [{ host, port, backlog: BACKLOG }]
  const passed = (fds: readonly number[], port: number): ListenAt[] =>
    fds.length > 0 ? fds.map((fd) => ({ fd })) : own(port)
  const places = [
    ...passed(activation.https, https_port).map((at) => ({ at, key: 'https_port', take: relay.takeVisitor })),
    ...passed(activation.p2p, p2p_port).map((at) => ({ at, key: 'p2p_port', take: relay.takeTunnel })),
  ]
  const sockets = new Set<Socket>()
  const servers = places.map(({ take, ...place }) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: WAITING_BYTES }, (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      take(socket)
    })
    return { ...place, server }
  })

  return {
    /** @returns `host:port` of each, visitors first @throws Error that names the key to change */
    async listen(): Promise<readonly string[]> {
      const found: string[] = []
      for (const { server, at, key } of servers) found.push(await listening(server, at, key, ground))
      return found
    },
    /** Takes no more connections; those that are there stay. */
    drain(): void {
      for (const { server } of servers) server.close()
    },
    close(): void {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** A connection that could not be accepted is no reason to end, and many of them come at once: told once in this time. */
const TOLD_EVERY_MS = 60_000

async function listening(server: Server, at: ListenAt, key: string, { monotonic, log }: Ground): Promise<string> {
  const where = 'fd' in at ? 'a socket of systemd' : hostPort(at.host, at.port)
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => {
      const remedy = codeOf(error) === 'EACCES' ? 'ports below 1024 need the right to bind them; ' : ''
      reject(new Error(`cannot listen on ${where} (${codeOf(error)}): ${remedy}set ${key}`, { cause: error }))
    }
    server.once('error', fail)
    server.listen(at, () => {
      server.off('error', fail)
      resolve()
    })
  })
  let toldMs = Number.NEGATIVE_INFINITY
  server.on('error', (error) => {
    if (monotonic() - toldMs < TOLD_EVERY_MS) return
    toldMs = monotonic()
    log('error', 'connections cannot be accepted', { url: where, error: codeOf(error) })
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? hostPort(address.address, address.port) : ''
}

/** Metrics for Prometheus, on the loopback. */
export function createMetricsListener(ground: Ground, metrics: () => string) {
  const { config, lifecycle } = ground
  const server = createHttpServer((request, response) => {
    const isReady = lifecycle.state() === 'ready' || lifecycle.state() === 'reloading'
    const [status, type, body] =
      request.url === '/metrics'
        ? [200, 'text/plain; version=0.0.4', metrics()]
        : request.url === '/health'
          ? [200, 'text/plain', 'ok\n']
          : request.url === '/ready'
            ? [isReady ? 200 : 503, 'text/plain', isReady ? 'ready\n' : 'not ready\n']
            : [404, 'text/plain', 'there are /metrics, /health and /ready\n']
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  return {
    async listen(): Promise<string | undefined> {
      const { metrics_port: port } = config()
      if (port === undefined) return undefined
      return await listening(server, { host: '127.0.0.1', port, backlog: 16 }, 'metrics_port', ground)
    },
    close(): void {
      server.close()
      server.closeAllConnections()
    },
  }
}
