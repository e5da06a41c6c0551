import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AdminProblem, AdminRouteName } from '../../schemas/admin.ts'
import type { Log } from '../../schemas/words/log.ts'
import { guarded } from '../../system/background.ts'
import type { Audit } from '../audit/entry.ts'
import type { Principal } from '../auth/principal.ts'
import { dispatch } from './dispatch.ts'
import { AdminError, describe, problemOf } from './error.ts'
import { currentPath } from './older-names.ts'
import { type AdminParts, ROUTES } from './routes/routes.ts'
import { sendReply } from './send-reply.ts'
import { type AdminSocket, listenOnSocket } from './socket.ts'
import { type Naming, socketPrincipal } from './socket-principal.ts'
import type { ApiTable } from './table.ts'

const LARGEST_BODY_BYTES = 2 ** 20
const HALF_CLOSED_MS = 1_000
const MOST_CONNECTIONS = 64

type AdminOptions = AdminParts & {
  readonly table: ApiTable
  readonly audit: Pick<Audit, 'require' | 'record'>
  /** Who a caller is, by what it sends beside being let in. */
  readonly naming: Naming
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
  const stopping = new AbortController()
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 2_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    },
    guarded(
      options.log,
      'a request of the admin socket was not answered',
      (request: IncomingMessage, response: ServerResponse) => answer(options, stopping.signal, request, response),
    ),
  )
  // @types/node does not have it: a caller may end its side when it has asked
  Object.assign(server, { httpAllowHalfOpen: true })
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
      const cut = setTimeout(() => server.closeAllConnections(), deadlineMs)
      await closed
      clearTimeout(cut)
    },
  }
}

/** Aborts when the caller leaves: one that has only ended its side is waited for as long as a quick answer takes. */
function leaving({ socket }: IncomingMessage, response: ServerResponse): AbortController {
  const left = new AbortController()
  const ended = () => setTimeout(() => response.destroy(), HALF_CLOSED_MS).unref()
  socket.once('end', ended)
  response.once('close', () => {
    socket.off('end', ended)
    left.abort()
  })
  return left
}

/** Answers one request, whatever happens. */
async function answer(
  options: AdminOptions,
  stopping: AbortSignal,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? ''
  const url = URL.parse(request.url ?? '', 'http://admin')
  const left = leaving(request, response)
  const signal = AbortSignal.any([left.signal, stopping])
  try {
    const body = await readBody(request)
    if (url === null) throw new AdminError('BAD_REQUEST', 'the request target is not a path')
    const path = currentPath(url.pathname)
    const principal = socketPrincipal(request.headers, options.naming)
    if (path.startsWith('/v1/')) {
      const { route, parameter } = findRoute(method, path)
      const asked = { parameter, query: url.searchParams, body: parseBody(body), signal }
      const shape = await audited(options.audit, principal, route, parameter, async () => ROUTES[route](options, asked))
      sendJson(response, 200, 'application/json', shape)
    } else {
      const route = options.table.find(method, path)
      if (route.only === 'https') throw new AdminError('UNKNOWN_ROUTE', `${path} is not served on the admin socket`)
      const caller = { address: null, via: 'socket', name: principal.name, secured: true } as const
      const call = { principal, caller, path, search: url.search, body, headers: request.headers, signal }
      const reply = await dispatch(route, call, options.audit)
      await sendReply(response, route, reply)
    }
  } catch (error) {
    if (!request.complete) return // the client left before its request was whole
    const problem = problemOf(error)
    if (problem.status >= 500) options.log('error', 'admin request failed', { method, error: describe(error) })
    sendProblem(request, response, problem)
  }
  if (method !== 'GET') noteRequest(options.log, method, url?.pathname ?? '', response.statusCode)
}

/** What the audit calls the routes that change something. */
const ACTIONS: Partial<Record<AdminRouteName, string>> = {
  'POST /v1/tokens': 'key.create',
  'DELETE /v1/tokens/:': 'key.revoke',
}

/** Makes a change by a route with an older name, and notes it. @throws what `change` throws, GateError STORE_UNAVAILABLE */
async function audited<T extends object>(
  audit: AdminOptions['audit'],
  { via, keyId: id, name }: Principal,
  route: AdminRouteName,
  parameter: string,
  change: () => Promise<T>,
): Promise<T> {
  const action = ACTIONS[route]
  if (action === undefined) return change()
  const entry = { who: { via, id, name }, from: { address: null, via: 'socket' }, action } as const
  try {
    audit.require()
    const shape = await change()
    const made = 'name' in shape && { new: { name: String(shape.name) } }
    audit.record({ ...entry, object: `key:${'id' in shape ? shape.id : parameter}`, outcome: 'done', ...made })
    return shape
  } catch (error) {
    const { status, code } = problemOf(error)
    audit.record({ ...entry, object: parameter, outcome: status < 500 ? 'refused' : 'failed', reason: code })
    throw error
  }
}

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

function sendProblem(request: IncomingMessage, response: ServerResponse, problem: AdminProblem): void {
  if (response.headersSent) response.destroy()
  else sendJson(response, problem.status, 'application/problem+json', problem)
  request.resume()
}

function sendJson(response: ServerResponse, status: number, type: string, shape: unknown): void {
  const text = `${JSON.stringify(shape)}\n`
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
}
