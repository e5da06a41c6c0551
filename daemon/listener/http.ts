import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import { canonicalHost, hostPort } from '../../schemas/words/address.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import { inBackground } from '../../system/background.ts'
import { noteRequest, refuseBroken, sayOn } from './broken-request.ts'
import type { ClientRequest, ClientResponse } from './client-request.ts'
import type { Connection } from './connection.ts'
import type { ClientConnections } from './connection-limits.ts'
import { probeUntilAnswered } from './half-close.ts'
import { noteVia, type Via, viaOf } from './via.ts'

/** Limits of a listener, fixed while it runs. Times in milliseconds. */
export type HttpLimits = {
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
  /** Shared by all listeners. */
  readonly connections: ClientConnections
}

/** An address (undefined: every address of this host), or a listening socket that was inherited. */
export type ListenAt = { readonly host: string | undefined; readonly port: number } | { readonly fd: number }

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
/** For a failure of Gate itself: `handle` answers all others. */
export const REQUEST_LOST = 'a request was not answered'

/** Time for the last words of answers that are cut off to reach their clients. */
const CUT_GRACE_MS = 200

/** What answers: `handle` one request, and never rejects; `errorBody` in JSON where no request exists. */
export type Answering = {
  handle(request: ClientRequest, response: ClientResponse, via: Via): Promise<void>
  readonly errorBody: (error: GateError) => string
}

/** What comes between a connection and HTTP/1.1. */
export type Layer = {
  readonly scheme: 'http' | 'https'
  /** Begins with a connection. @param next takes one over which HTTP/1.1 is spoken, if that is what comes of it */
  accept(socket: Connection, via: Via, next: (socket: Connection, via: Via) => void): void
  /** Headers for every answer to a request, names and values in turn. */
  headersFor(host: string | undefined, via: Via): readonly string[]
  /** From now on clients are told that what they ask is the last time. */
  drain(): void
  /** Closes what nobody uses. */
  closeIdle(): void
  /** Closes all. */
  cut(): void
}

/**
 * The side of the gateway that clients see: an HTTP/1.1 server with bounded connections and slow clients cut off.
 * @param layer what else is spoken below; left out: nothing
 */
export function createHttpListener({ handle, errorBody }: Answering, limits: HttpLimits, log: Log, layer?: Layer) {
  let draining = false
  let isProxied = false
  let url = ''
  const connections = new Set<Connection>()
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    noteRequest(request.socket, response)
    const via = viaOf(request.socket)
    // the answer says "Connection: close"
    if (draining || via.leaving?.aborted === true) response.shouldKeepAlive = false
    const headers = layer?.headersFor(request.headers.host, via) ?? []
    for (let at = 0; at < headers.length; at += 2) response.setHeader(headers[at] ?? '', headers[at + 1] ?? '')
    inBackground(log, REQUEST_LOST, () => handle(request, response, via))
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
  // what else is spoken on the connection comes before Node's own reading of HTTP/1.1
  const readers = server.listeners('connection')
  server.removeAllListeners('connection')
  const next = (socket: Connection, via: Via) => {
    noteVia(socket, via)
    for (const read of readers) read.call(server, socket)
    socket.once('end', () => probeUntilAnswered(socket))
  }
  function take(socket: Connection, via: Via): void {
    if (!limits.connections.take(socket, url)) {
      socket.destroy()
      return
    }
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    if (layer === undefined) next(socket, via)
    else layer.accept(socket, via, next)
  }
  server.on('connection', (socket) => {
    // a connection that is gone has no address, which must not make a proxy of it
    take(socket, { peer: isProxied ? null : (socket.remoteAddress ?? ''), secured: null })
  })
  server.on('clientError', (error, socket: Socket) => refuseBroken(error, socket, errorBody))

  return {
    /** @returns the address listened on. @throws Error (EADDRINUSE, EACCES, …) */
    listen(where: ListenAt): Promise<string> {
      return new Promise((resolve, reject) => {
        server.once('error', reject)
        const at =
          'fd' in where
            ? where
            : { port: where.port, ...(where.host !== undefined && { host: canonicalHost(where.host) }) }
        server.listen(at, () => {
          server.off('error', reject)
          server.on('error', (error) => log('error', 'listener failed', { error: String(error) }))
          const address = server.address()
          isProxied = address === null || typeof address === 'string' // null: a Unix socket that was inherited
          url = urlOf(address, layer?.scheme ?? 'http')
          resolve(url)
        })
      })
    },

    /**
     * Listens nowhere: serves what `take` brings.
     * @param name of where that comes from, for the log
     */
    serve(name: string): void {
      url = name
      server.emit('listening') // Node begins its checks for slow clients
    },

    /** Serves a connection that came another way than by listening. */
    take,

    /**
     * Answers the next request of every connection with `Connection: close`. New ones are still taken, for one request
     * each, until those from before are gone or had their grace; so no client waits in the backlog meanwhile. Then
     * takes no more, closes the idle ones, and resolves when none is left, or when `signal` aborts, which cuts the
     * rest.
     */
    async drain(signal: AbortSignal): Promise<void> {
      draining = true
      layer?.drain()
      const closeAll = () => {
        server.closeAllConnections()
        layer?.cut()
        for (const socket of connections) socket.destroy()
      }
      const cut = () => setTimeout(closeAll, CUT_GRACE_MS)
      signal.addEventListener('abort', cut, { once: true })
      if (signal.aborted) cut()
      await closedOrOver(connections, DRAIN_GRACE_MS, signal)
      const closed = new Promise<void>((resolve) => {
        // not server.close(): that would close new connections at once, with their first request on its way
        NetServer.prototype.close.call(server, () => resolve())
      })
      const closeIdle = () => {
        server.closeIdleConnections()
        layer?.closeIdle()
      }
      const idle = setInterval(closeIdle, IDLE_CHECK_MS)
      await closed
      while (connections.size > 0) await Promise.all(closesOf(connections)) // those that were not listened for
      signal.removeEventListener('abort', cut)
      clearInterval(idle)
      server.close(() => {}) // stops the checks for slow clients
    },
  }
}

/** Resolves when all the connections of this moment are closed, after `limitMs`, or when `signal` aborts. */
async function closedOrOver(connections: Iterable<Connection>, limitMs: number, signal: AbortSignal): Promise<void> {
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  const timer = setTimeout(end, limitMs)
  signal.addEventListener('abort', () => end(), { once: true })
  if (signal.aborted) end()
  await Promise.race([Promise.all(closesOf(connections)), over])
  clearTimeout(timer)
}

function closesOf(connections: Iterable<Connection>): Promise<unknown>[] {
  return Array.from(connections, (socket) => new Promise((resolve) => socket.once('close', resolve)))
}

function urlOf(address: AddressInfo | string | null, scheme: string): string {
  if (address === null || typeof address === 'string') return `unix:${address ?? ''}`
  return `${scheme}://${hostPort(address.address, address.port)}`
}
