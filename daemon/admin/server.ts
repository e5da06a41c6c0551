import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AdminProblem, AdminRouteName } from '../../schemas/admin.ts'
import { LOG_LEVELS, type Log, type LogRecord } from '../../schemas/words/log.ts'
import { jsonLine } from '../../syntax/terminal/log-line.ts'
import type { Audit } from '../audit/entry.ts'
import { dispatch } from './dispatch.ts'
import { AdminError, describe, problemOf } from './error.ts'
import { sendBackendLogs } from './routes/backend-logs.ts'
import { type AdminParts, ROUTES } from './routes/routes.ts'
import { sendReply } from './send-reply.ts'
import { type AdminSocket, listenOnSocket } from './socket.ts'
import { SOCKET_PRINCIPAL } from './socket-principal.ts'
import type { ApiTable } from './table.ts'

const LARGEST_BODY_BYTES = 2 ** 20
const MOST_CONNECTIONS = 64
const MOST_FOLLOWERS = 16
/** A follower that leaves this much unread is let go: the log never waits for a reader. */
const LARGEST_BACKLOG_BYTES = 2 ** 20
const DEFAULT_LINES = 100

type AdminOptions = AdminParts & {
  readonly table: ApiTable
  readonly audit: Pick<Audit, 'require' | 'record'>
  readonly logs: {
    recent(count: number): readonly LogRecord[]
    /** @returns a function that stops it */
    follow(listener: (record: LogRecord) => void): () => void
  }
  readonly log: Log
}

type AdminServer = {
  /** @throws AdminSocketError when the socket cannot be had, or another daemon answers on it */
  listen(socket: AdminSocket): Promise<void>
  /** Ends the followers, waits for the answers being written at most `deadlineMs`, then cuts. */
  close(deadlineMs: number): Promise<void>
}

/** The admin API: HTTP on a Unix socket, whose permissions decide who may use it. Shapes: schemas/admin.ts. */
export function createAdminServer(options: AdminOptions): AdminServer {
  const followers = new Set<ServerResponse>()
  const backendFollowers = new Set<ServerResponse>()
  const stopping = new AbortController()
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 2_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    },
    (request, response) =>
      void answer(options, { followers, backendFollowers, stopping: stopping.signal }, request, response),
  )
  server.maxConnections = MOST_CONNECTIONS
  server.on('error', (error) => {
    if (server.listening) options.log('error', 'admin socket failed', { error: error.message })
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
    else socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  return {
    listen: (socket) => listenOnSocket(server, socket),
    close: async (deadlineMs) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      stopping.abort()
      for (const response of followers) response.end()
      const cut = setTimeout(() => server.closeAllConnections(), deadlineMs)
      await closed
      clearTimeout(cut)
    },
  }
}

type Connections = {
  /** Of the daemon's own log. */
  readonly followers: Set<ServerResponse>
  readonly backendFollowers: Set<ServerResponse>
  /** Aborts when the server closes. */
  readonly stopping: AbortSignal
}

/** Streams of a backend; the name follows. */
const BACKEND_STREAM = /^\/v1\/backends\/(logs|events)\/([^/]*)$/

/** Answers one request, whatever happens. */
async function answer(
  options: AdminOptions,
  { followers, backendFollowers, stopping }: Connections,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? ''
  const url = URL.parse(request.url ?? '', 'http://admin')
  const left = new AbortController()
  response.once('close', () => left.abort())
  const signal = AbortSignal.any([left.signal, stopping])
  try {
    const bytes = await readBody(request)
    if (url === null) throw new AdminError('BAD_REQUEST', 'the request target is not a path')
    const { pathname: path, search } = url
    if (!path.startsWith('/v1/')) {
      const route = options.table.find(method, path)
      const call = { ...OF_SOCKET, path, search, body: bytes, headers: request.headers, signal }
      const reply = await dispatch(route, call, options.audit)
      if (method !== 'GET') noteRequest(options.log, method, path, 200)
      return await sendReply(response, route, reply)
    }
    const body = parseBody(bytes)
    if (method === 'GET' && url.pathname === '/v1/logs') return sendLogs(options, followers, url.searchParams, response)
    const [, of, segment = ''] = (method === 'GET' && BACKEND_STREAM.exec(url.pathname)) || []
    if (of === 'logs' || of === 'events') {
      const parts = { backends: options.backends, followers: backendFollowers }
      const wanted = { of, name: decodeSegment(segment) } as const
      return await sendBackendLogs(parts, wanted, url.searchParams, response, signal)
    }
    const { route, parameter } = findRoute(method, url.pathname)
    const shape = await ROUTES[route](options, { parameter, query: url.searchParams, body, signal })
    sendJson(response, 200, 'application/json', shape)
  } catch (error) {
    if (!request.complete) return // the client left before its request was whole
    const problem = problemOf(error)
    if (problem.status >= 500) options.log('error', 'admin request failed', { method, error: describe(error) })
    sendProblem(request, response, problem)
  }
  if (method !== 'GET') noteRequest(options.log, method, url?.pathname ?? '', response.statusCode)
}

/** Who calls over the socket, as far as is known. */
const OF_SOCKET = {
  principal: SOCKET_PRINCIPAL,
  caller: { address: null, via: 'socket', name: SOCKET_PRINCIPAL.name, secured: true },
} as const

function noteRequest(log: Log, method: string, path: string, status: number): void {
  log('info', 'admin request', { method, path, status })
}

/** @throws AdminError UNKNOWN_ROUTE, METHOD_NOT_ALLOWED */
function findRoute(method: string, path: string): { route: AdminRouteName; parameter: string } {
  const exact = `${method} ${path}`
  if (isRoute(exact) && !path.endsWith(':')) return { route: exact, parameter: '' }
  const slash = path.lastIndexOf('/') + 1
  const folder = slash < path.length ? `${path.slice(0, slash)}:` : path
  const pattern = `${method} ${folder}`
  if (isRoute(pattern)) return { route: pattern, parameter: decodeSegment(path.slice(slash)) }
  if (METHODS.some((other) => isRoute(`${other} ${path}`) || isRoute(`${other} ${folder}`))) {
    throw new AdminError('METHOD_NOT_ALLOWED', `${method} is not possible on ${path}`)
  }
  throw new AdminError('UNKNOWN_ROUTE', `unknown route: ${path}`, {
    hint: 'gatectl and gate-daemon may be of different versions: compare gatectl --version with gatectl status',
  })
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE']

function isRoute(name: string): name is AdminRouteName {
  return Object.hasOwn(ROUTES, name)
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause
    throw new AdminError('BAD_REQUEST', 'the path is not valid percent-encoding', { cause })
  }
}

/** @throws AdminError BODY_TOO_LARGE */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= LARGEST_BODY_BYTES) chunks.push(chunk) // the rest is read to its end, so that the answer arrives
  }
  if (bytes > LARGEST_BODY_BYTES) throw new AdminError('BODY_TOO_LARGE', 'the body is larger than 1 MiB')
  return Buffer.concat(chunks)
}

/** @returns the parsed JSON, or undefined when there is no body  @throws AdminError INVALID_JSON */
function parseBody(body: Buffer): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new AdminError('INVALID_JSON', 'the body is not valid JSON', { cause })
  }
}

/** @throws AdminError before the first line, never after it */
function sendLogs(
  { logs }: AdminOptions,
  followers: Set<ServerResponse>,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const count = Number(query.get('n') ?? DEFAULT_LINES)
  if (!Number.isInteger(count) || count < 0) throw new AdminError('BAD_REQUEST', 'n: not a number of lines')
  const levels: readonly string[] = LOG_LEVELS
  const threshold = levels.indexOf(query.get('level') ?? 'debug')
  if (threshold === -1) {
    throw new AdminError('BAD_REQUEST', `level: not one of ${levels.join(', ')}`)
  }
  const following = query.get('follow') === 'true'
  if (following && followers.size >= MOST_FOLLOWERS) {
    throw new AdminError('TOO_MANY_FOLLOWERS', `${MOST_FOLLOWERS} clients already follow the log`)
  }
  const wanted = (record: LogRecord) => LOG_LEVELS.indexOf(record.level) <= threshold
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.flushHeaders()
  const past = logs.recent(Number.MAX_SAFE_INTEGER).filter(wanted)
  for (const record of count === 0 ? [] : past.slice(-count)) response.write(`${jsonLine(record)}\n`)
  if (!following) {
    response.end()
    return
  }
  followers.add(response)
  const stop = logs.follow((record) => {
    if (!wanted(record)) return
    if (response.writableLength > LARGEST_BACKLOG_BYTES) response.destroy()
    else if (response.writable) response.write(`${jsonLine(record)}\n`)
  })
  response.once('close', () => {
    stop()
    followers.delete(response)
  })
}

function sendProblem(request: IncomingMessage, response: ServerResponse, problem: AdminProblem): void {
  if (response.headersSent) response.destroy()
  else sendJson(response, problem.status, 'application/problem+json', problem)
  request.resume()
}

function sendJson(response: ServerResponse, status: number, type: string, shape: unknown): void {
  const text = `${JSON.stringify(shape)}\n`
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
}
