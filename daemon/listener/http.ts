import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import { canonicalHost, hostPort } from '../../schemas/words/address.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import { noteRequest, refuseBroken, sayOn } from './broken-request.ts'
import { probeUntilAnswered } from './half-close.ts'

/** Limits of a listener, fixed while it runs. Times in milliseconds. */
export type HttpLimits = {
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly maxConnections: number
}

/** An address, or a listening socket that was inherited. */
export type ListenAt = { readonly host: string; readonly port: number } | { readonly fd: number }

/** How often headers and bodies that take too long are looked for; a time-out is late by this much at most. */
const CHECK_INTERVAL_MS = 1_000
/** Longer than the idle time of common proxies in front (60 s), so that they are the ones to close. */
const KEEP_ALIVE_MS = 75_000
const MAX_HEADER_BYTES = 16 * 2 ** 10
/**
 * Time that clients with open connections get to use them once more and be told that it was the last time. A client
 * that does not is closed, and a request that is on its way just then is lost: this should be longer than the pause
 * between two requests.
 */
const DRAIN_GRACE_MS = 3_000
/** How often idle connections are closed after that. */
const IDLE_CHECK_MS = 500
/** Time for the last words of answers that are cut off to reach their clients. */
const CUT_GRACE_MS = 200

/**
 * What answers: `handle` one request, and never rejects; `errorBody` in JSON where no request exists. `isProxied`: it
 * came over a Unix socket.
 */
export type Answering = {
  readonly handle: (request: IncomingMessage, response: ServerResponse, isProxied: boolean) => Promise<void>
  readonly errorBody: (error: GateError) => string
}

/** The side of the gateway that clients see: an HTTP/1.1 server with bounded connections and slow clients cut off. */
export function createHttpListener({ handle, errorBody }: Answering, limits: HttpLimits, log: Log) {
  let draining = false
  let isProxied = false
  const connections = new Set<Socket>()
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    noteRequest(request.socket, response)
    if (draining) response.shouldKeepAlive = false // the answer says "Connection: close"
    void handle(request, response, isProxied)
  }
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.bodyTimeoutMs,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
      requireHostHeader: false, // checkRequest does, with an answer that says so
    },
    answer,
  )
  server.timeout = 0
  // not in Node's documentation: a client that has ended its side of the connection still gets its answer
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('checkContinue', answer) // a body is asked for when all that is said about it is good
  server.on('checkExpectation', answer) // checkRequest refuses it
  server.on('connect', (_, socket: Socket) => {
    const error = new GateError('METHOD_NOT_ALLOWED', 'this is not a proxy', {
      headers: { allow: 'GET, HEAD, POST, OPTIONS' },
    })
    sayOn(socket, error, errorBody)
  })
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    socket.once('end', () => probeUntilAnswered(socket))
  })
  server.maxConnections = limits.maxConnections
  server.on('clientError', (error, socket: Socket) => refuseBroken(error, socket, errorBody))
  server.on('drop', () =>
    log('warn', 'connection refused: server.max_connections or the limit of open files is reached'),
  )

  return {
    /** @returns the address listened on. @throws Error (EADDRINUSE, EACCES, …) */
    listen(where: ListenAt): Promise<string> {
      return new Promise((resolve, reject) => {
        server.once('error', reject)
        const at = 'host' in where ? { ...where, host: canonicalHost(where.host) } : where
        server.listen(at, () => {
          server.off('error', reject)
          server.on('error', (error) => log('error', 'listener failed', { error: String(error) }))
          const address = server.address()
          isProxied = address === null || typeof address === 'string' // null: a Unix socket that was inherited
          resolve(urlOf(address))
        })
      })
    },

    /**
     * Answers the next request of every connection with `Connection: close`. New ones are still taken, for one request
     * each, until those from before are gone or had their grace; so no client waits in the backlog meanwhile. Then
     * takes no more, closes the idle ones, and resolves when none is left, or when `signal` aborts, which cuts the
     * rest.
     */
    async drain(signal: AbortSignal): Promise<void> {
      draining = true
      const cut = () => setTimeout(() => server.closeAllConnections(), CUT_GRACE_MS)
      signal.addEventListener('abort', cut, { once: true })
      if (signal.aborted) cut()
      await closedOrOver(connections, DRAIN_GRACE_MS, signal)
      const closed = new Promise<void>((resolve) => {
        // not server.close(): that would close new connections at once, with their first request on its way
        NetServer.prototype.close.call(server, () => resolve())
      })
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
      await closed
      signal.removeEventListener('abort', cut)
      clearInterval(idle)
      server.close(() => {}) // stops the checks for slow clients
    },
  }
}

/** Resolves when all the connections of this moment are closed, after `limitMs`, or when `signal` aborts. */
async function closedOrOver(connections: Iterable<Socket>, limitMs: number, signal: AbortSignal): Promise<void> {
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  const timer = setTimeout(end, limitMs)
  signal.addEventListener('abort', () => end(), { once: true })
  if (signal.aborted) end()
  const closes = Array.from(connections, (socket) => new Promise((resolve) => socket.once('close', resolve)))
  await Promise.race([Promise.all(closes), over])
  clearTimeout(timer)
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') return `unix:${address ?? ''}`
  return `http://${hostPort(address.address, address.port)}`
}
