import { type IncomingMessage, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { connect } from 'node:tls'

/** A request to a proxy on the loopback, by a name that no name server knows. */
export type Ask = {
  readonly port: number
  /** Unix socket to connect to, in place of the port. */
  readonly socket?: string
  readonly host: string
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Speaks TLS without looking at the certificate, which is a throw-away one. */
  readonly tls?: boolean
}

/** Sends a request and waits for the head of the answer. */
export function open({
  port,
  socket,
  host,
  path = '/',
  method = 'GET',
  headers = {},
  body,
  tls = true,
}: Ask): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = tls ? secureRequest : request
    const to = socket === undefined ? { host: '127.0.0.1', port } : { socketPath: socket }
    const options = { ...to, path, method, headers: { host, ...headers }, agent: false }
    const asked = send({ ...options, servername: host, rejectUnauthorized: false }, resolve)
    // a body that is too large is refused while it is still on its way
    asked.on('error', reject)
    asked.end(body)
  })
}

/** Sends a request and waits for the whole answer. */
export async function ask(what: Ask): Promise<{ status: number; headers: IncomingMessage['headers']; text: string }> {
  const response = await open(what)
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode ?? 0, headers: response.headers, text }
}

/** Upgrades a connection, says `words` once `greeting` has come, and waits for `answer`. @returns all that came */
export function converse(port: number, host: string, greeting: string, words: string, answer: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: host,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    })
    const timer = setTimeout(() => socket.destroy(new Error(`no answer after 10 s, only: ${said}`)), 10_000)
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    socket.write(`GET /socket HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`)
    let spoke = false
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (!spoke && said.includes(greeting)) spoke = socket.write(words) || true
      if (said.includes(answer)) socket.end()
    })
    socket.on('error', reject)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(said)
    })
  })
}
