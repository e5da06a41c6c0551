import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import { Agent, request } from 'node:https'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

/** A whole answer, over either version of HTTP. */
export type Answered = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export type Asking = {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Where Gate listens, as a client of a name that is not in DNS sees it. */
export const TRUSTING = { servername: 'ai.example.org', rejectUnauthorized: false } as const

const optionsOf = (url: string): ConnectionOptions => {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port), ...TRUSTING }
}

/** Shakes hands. @throws Error with the alert that was received */
export async function shakeHands(url: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ ...optionsOf(url), ...options })
  await once(socket, 'secureConnect')
  return socket
}

/** Asks over HTTP/1.1. */
export function ask1(
  url: string,
  { method = 'GET', path = '/', headers = {}, body = '' }: Asking,
  agent: Agent = new Agent(),
): Promise<Answered> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port, method, path, headers: { host: 'ai.example.org', ...headers }, agent }
    const sent = request({ ...options, ...TRUSTING }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => {
        if (!response.complete) reject(new Error('the answer was cut'))
        else resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** A connection of HTTP/2. */
export async function openHttp2(url: string): Promise<ClientHttp2Session> {
  const session = connectHttp2(url, { ...TRUSTING, ALPNProtocols: ['h2'] })
  session.on('error', () => {}) // each stream has it, too
  await once(session, 'remoteSettings')
  return session
}

/** Begins to ask over HTTP/2; its end is up to the caller. */
export function begin2(
  session: ClientHttp2Session,
  { method = 'GET', path = '/', headers = {} }: Asking,
): ClientHttp2Stream {
  return session.request(
    { ':method': method, ':path': path, ':authority': 'ai.example.org', ...headers },
    { endStream: false },
  )
}

/** Asks over HTTP/2. */
export function ask2(session: ClientHttp2Session, asking: Asking): Promise<Answered> {
  const stream = begin2(session, asking)
  stream.end(asking.body ?? '')
  return answerOf(stream)
}

/** @throws Error when the stream is reset before its end */
export function answerOf(stream: ClientHttp2Stream): Promise<Answered> {
  return new Promise((resolve, reject) => {
    let text = ''
    let headers: Record<string, string | string[] | undefined> = {}
    stream.setEncoding('utf8')
    stream.on('response', (response) => {
      headers = response as typeof headers
    })
    stream.on('data', (chunk: string) => {
      text += chunk
    })
    stream.on('error', reject)
    stream.on('close', () => {
      if (stream.rstCode !== 0) reject(new Error(`the stream was reset with ${stream.rstCode}`))
      else if (headers[':status'] === undefined) reject(new Error('the stream was closed without an answer'))
      else resolve({ status: Number(headers[':status']), headers, text })
    })
  })
}
