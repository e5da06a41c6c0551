import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Log } from '../../../schemas/words/log.ts'
import { AdminError, describe, parseRequest, problemOf } from '../../admin/error.ts'
import { type AdminSocket, listenOnSocket } from '../../admin/socket.ts'
import { type AdminParts, ROUTES } from './routes.ts'

const LARGEST_BODY_BYTES = 64 * 2 ** 10
const MOST_CONNECTIONS = 32

/** The admin API of a relay: HTTP on a Unix socket, whose permissions decide who may use it. */
export function createRelayAdmin(parts: AdminParts, log: Log) {
  const limits = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 2_000, maxHeaderSize: 16_384 }
  const server = createServer(limits, (request, response) => void answer(parts, log, request, response))
  server.maxConnections = MOST_CONNECTIONS
  server.on('error', (error) => {
    if (server.listening) log('error', 'admin socket failed', { error: error.message })
  })
  return {
    /** @throws AdminSocketError */
    listen: (socket: AdminSocket) => listenOnSocket(server, socket),
    close(): void {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(parts: AdminParts, log: Log, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '' } = request
  try {
    const body = await readBody(request)
    const row = rowOf(method, url)
    const value = row.body === null ? undefined : parseRequest(row.body, jsonOf(body))
    send(response, 200, 'application/json', await row.answer(parts, value))
  } catch (error) {
    if (!request.complete) return
    const problem = problemOf(error)
    if (problem.status >= 500) log('error', 'admin request failed', { method, error: describe(error) })
    send(response, problem.status, 'application/problem+json', problem)
  }
  if (method !== 'GET') log('info', 'admin request', { method, path: url, status: response.statusCode })
}

function rowOf(method: string, path: string) {
  const found = Object.entries(ROUTES).find(([route]) => route === `${method} ${path}`)
  if (found !== undefined) return found[1]
  const isKnown = Object.keys(ROUTES).some((route) => route.endsWith(` ${path}`))
  if (isKnown) throw new AdminError('METHOD_NOT_ALLOWED', `${path} does not take ${method}`)
  throw new AdminError('UNKNOWN_ROUTE', `there is no ${path}; gatectl and the relay may differ in version`)
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request) {
    bytes += part.length
    if (bytes > LARGEST_BODY_BYTES) throw new AdminError('BODY_TOO_LARGE', 'the body is larger than 64 KiB')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AdminError('INVALID_JSON', 'the body is not valid JSON', { cause })
  }
}

function send(response: ServerResponse, status: number, type: string, value: unknown): void {
  const text = `${JSON.stringify(value)}\n`
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
}
