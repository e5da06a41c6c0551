// The floor for a gateway on Node: one JSON.parse, then node:http to undici.dispatch, and nothing else.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Pool } from 'undici'

function forward(pool: Pool, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  JSON.parse(body.toString())
  const headers = {
    'content-type': 'application/json',
    authorization: request.headers.authorization ?? '',
  }
  pool.dispatch(
    { path: request.url ?? '/', method: 'POST', headers, body },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, upstreamHeaders) => {
        const { 'content-type': type = 'application/json', 'content-length': length } = upstreamHeaders
        response.writeHead(
          status,
          [['content-type', type].flat(), ...(length === undefined ? [] : [['content-length', length].flat()])].flat(),
        )
      },
      onResponseData: (_controller, part) => void response.write(part),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    },
  )
}

/** Usage: node bare.ts PORT UPSTREAM_PORT */
if (import.meta.main) {
  const [port, upstreamPort] = process.argv.slice(2).map(Number)
  const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 1_000, pipelining: 1 })
  createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => forward(pool, request, response, Buffer.concat(parts)))
  }).listen(port, '127.0.0.1')
}
