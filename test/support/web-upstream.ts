import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A server behind a proxy under test. It says what reached it, and sends frames when the test says so. */
export type WebUpstream = {
  readonly port: number
  /** Sends one server-sent event to everybody who asked for /events. */
  readonly sendFrame: (text: string) => void
  readonly stop: () => Promise<void>
}

/** What /echo answers. */
export type Echo = {
  readonly server: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly bodyBytes: number
}

/**
 * @param name what `Echo.server` says
 * @param socket Unix socket to listen on, beside the port
 */
export async function startWebUpstream(name: string, socket?: string): Promise<WebUpstream> {
  const streams = new Set<ServerResponse>()
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('x-frame-options', 'DENY')
    if (request.url !== '/events') return void echo(name, request, response)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    streams.add(response)
  }
  const server = createServer(answer)
  const local = socket === undefined ? undefined : createServer(answer)
  server.on('upgrade', (request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.write(`${request.headers.upgrade} of ${name};`)
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()))
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  if (local !== undefined) await new Promise<void>((resolve) => local.listen(socket, resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('a TCP server has a port')
  return {
    port: address.port,
    sendFrame: (text) => {
      for (const stream of streams) stream.write(`data: ${text}\n\n`)
    },
    stop: async () => {
      for (const one of [server, ...(local === undefined ? [] : [local])]) {
        one.closeAllConnections()
        await new Promise((resolve) => one.close(resolve))
      }
    },
  }
}

async function echo(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let bodyBytes = 0
  try {
    for await (const chunk of request) bodyBytes += (chunk as Buffer).length
  } catch (error) {
    // the proxy has seen that the body is too large
    if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return
    throw error
  }
  const said: Echo = { server: name, url: request.url ?? '', headers: request.headers, bodyBytes }
  response.end(JSON.stringify(said))
}
