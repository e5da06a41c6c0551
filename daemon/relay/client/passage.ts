import type { ServerHttp2Stream } from 'node:http2'
import { connect, type Socket } from 'node:net'
import type { RelayBackend } from '../../../schemas/config/relay-backend.ts'
import { parseHostPort } from '../../../schemas/words/address.ts'
import { Gathered, helloReader } from '../../../wire/client-hello.ts'
import { ownProxyHeader, proxyHeader } from '../../../wire/proxy-header.ts'
import { isPrivate } from './trust.ts'
import { refuse, type Visit } from './visit.ts'
import { VisitorSocket } from './visitor-socket.ts'

const HELLO_MS = 10_000
const CONNECT_MS = 3_000
/** Relays give up sooner. */
const IDLE_MS = 600_000

/**
 * Passes a visitor on to a local server: its TLS as it came, after a PROXY header. A visitor that asks for another name
 * than the relay says is refused, so that a relay reaches nothing else of that server by its name.
 * @throws Error that says why the server cannot be reached; the visitor is refused by then
 */
export async function passOn(stream: ServerHttp2Stream, visit: Visit, backend: RelayBackend): Promise<void> {
  const visitor = new VisitorSocket(stream)
  const hello = await readHello(visitor)
  if (hello?.name !== visit.name) return refuse(stream, 421)
  let server: Socket
  try {
    server = await reach(backend.address)
  } catch (error) {
    refuse(stream, 503)
    throw error
  }
  if (stream.destroyed || stream.closed) {
    server.destroy()
    return
  }
  stream.respond({ ':status': 200 })
  server.write(Buffer.concat([headerOf(visit, backend), hello.bytes]))
  join(visitor, server)
}

/** Looks whether the server of a backend takes connections. @throws Error that says why not */
export async function knock({ address, proxy_protocol: version }: RelayBackend): Promise<void> {
  const server = await reach(address)
  server.on('error', () => {})
  server.end(version === 'off' ? '' : ownProxyHeader(version))
  server.resume()
  server.setTimeout(CONNECT_MS, () => server.destroy())
}

/** The bytes up to the end of the ClientHello, and the name that it asks for; null: there is none in time. */
function readHello(visitor: VisitorSocket): Promise<{ readonly name: string | null; readonly bytes: Buffer } | null> {
  const read = helloReader()
  const gathered = new Gathered() // a list of single bytes would take a hundred times as much
  const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<typeof readHello>>>()
  const none = () => resolve(null)
  const timer = setTimeout(none, HELLO_MS)
  const take = (chunk: Buffer) => {
    gathered.add(chunk)
    const reading = read(chunk)
    if (reading.kind === 'more') return
    visitor.off('data', take).pause() // what follows waits for the server
    resolve(reading.kind === 'hello' ? { name: reading.hello.name, bytes: gathered.bytes() } : null)
  }
  visitor.on('data', take).once('end', none).once('close', none)
  return promise.finally(() => {
    clearTimeout(timer)
    visitor.off('data', take).off('end', none).off('close', none).pause()
  })
}

/** @param address as `relay.backends` has it */
async function reach(address: string): Promise<Socket> {
  const { host, port = 0 } = parseHostPort(address)
  const place = address.startsWith('unix:') ? { path: address.slice('unix:'.length) } : { host, port }
  const server = connect({ ...place, allowHalfOpen: true, noDelay: true })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error(`no connection within ${CONNECT_MS / 1_000} s`)), CONNECT_MS)
  server.once('connect', resolve).once('error', reject)
  try {
    await promise
    server.off('error', reject)
    return server
  } catch (error) {
    server.on('error', () => {}).destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** A relay lends no private address, which the server may trust: such a visitor comes from nowhere. */
function headerOf({ source, target }: Visit, { proxy_protocol: version }: RelayBackend): Buffer {
  if (version === 'off') return Buffer.alloc(0)
  const nowhere = source.address.includes(':') ? '::' : '0.0.0.0'
  const client = isPrivate(source.address) ? { address: nowhere, port: source.port } : source
  return proxyHeader(version, client, target)
}

/** Each side's end is the other's, and so is a reset. */
function join(visitor: VisitorSocket, server: Socket): void {
  server.setTimeout(IDLE_MS, () => server.destroy(lost()))
  server.on('error', (error) => visitor.destroy(error))
  server.once('close', () => visitor.destroyed || visitor.writableFinished || visitor.destroy(lost()))
  visitor.once('close', () => {
    if (server.destroyed) return
    if (visitor.errored === null) server.destroySoon()
    else if (server.remoteAddress === undefined) server.destroy()
    else server.resetAndDestroy()
  })
  visitor.pipe(server).pipe(visitor)
}

const lost = () => Object.assign(new Error('the server behind the relay has gone'), { code: 'ECONNRESET' })
