import type { ServerResponse } from 'node:http'
import { pacedWrite } from '../../wire/paced-write.ts'
import type { Reply } from './reply.ts'
import type { ApiRoute } from './route.ts'

/** A reader of a stream that takes nothing for so long is let go. */
const STALLED_MS = 30_000

/** Sends what a route has answered over the admin socket. Never rejects. */
export async function sendReply(response: ServerResponse, route: ApiRoute, reply: Reply): Promise<void> {
  const headers = Object.fromEntries(Object.entries(reply.headers).map(([name, value]) => [name, [value].flat()]))
  switch (reply.kind) {
    case 'json': {
      const text = reply.value === undefined ? '' : `${JSON.stringify(reply.value)}\n`
      return sendText(
        response,
        reply.status ?? route.status ?? 200,
        { ...headers, 'content-type': 'application/json' },
        text,
      )
    }
    case 'page':
      return sendText(response, reply.status, { ...headers, 'content-type': reply.type }, reply.text)
    case 'stream':
      response.writeHead(200, { ...headers, 'content-type': reply.type })
      response.flushHeaders()
      return sendChunks(response, reply.chunks)
  }
}

function sendText(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | string[]>,
  text: string,
): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text)
}

async function sendChunks(response: ServerResponse, chunks: AsyncIterable<string>): Promise<void> {
  try {
    for await (const chunk of chunks) {
      await pacedWrite(response, chunk, STALLED_MS)
      if (response.destroyed) return
    }
    response.end()
  } catch {
    response.destroy() // cut, not ended: a reader must not take this for whole
  }
}
