import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { RelayTunnel } from '../../../schemas/relay-admin.ts'
import { requesterOf } from './own-door.ts'

const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
} as const

/** What https://relay.<domain>/ answers: to a node, shown by its key, its own tunnels as JSON; to all others who the relay is. */
export function createPage(status: () => readonly RelayTunnel[]): Server {
  return createServer(LIMITS, (request, response) => answer(request, response, status))
}

function answer(
  { method, url, socket }: IncomingMessage,
  response: ServerResponse,
  status: () => readonly RelayTunnel[],
) {
  if (method !== 'GET' && method !== 'HEAD') {
    say(response, 405, 'text/plain', 'only GET and HEAD are answered here\n', { allow: 'GET, HEAD' })
    return
  }
  if (url === '/') {
    say(response, 200, 'text/plain', 'this is a Gate relay: GET /tunnels with the key of a node shows its tunnels\n')
    return
  }
  if (url !== '/tunnels') {
    say(response, 404, 'text/plain', 'not found: / and /tunnels are here\n')
    return
  }
  const requester = socket instanceof TLSSocket ? requesterOf(socket) : null
  if (requester === null) {
    say(response, 403, 'text/plain', 'show the key of a node: connect with its Ed25519 certificate\n')
    return
  }
  const own = status().filter(({ nodeId }) => nodeId === requester.nodeId)
  say(response, 200, 'application/json', `${JSON.stringify({ nodeId: requester.nodeId, tunnels: own })}\n`)
}

function say(response: ServerResponse, code: number, type: string, body: string, headers: Record<string, string> = {}) {
  response.writeHead(code, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(body)
}
