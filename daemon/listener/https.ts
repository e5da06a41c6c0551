import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isHostItself, parseHostPort } from '../../schemas/words/address.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Hello } from '../../wire/client-hello.ts'
import { readFirstBytes } from '../../wire/first-bytes.ts'
import { greetingReader } from '../../wire/greeting.ts'
import type { Connection } from './connection.ts'
import type { Answering, HttpLimits, Layer } from './http.ts'
import { createHttp2 } from './http2.ts'
import type { Identities } from './identities.ts'
import { destroySoon } from './last-words.ts'
import { covers } from './selection.ts'
import { createTls, type NoteHandshake } from './tls.ts'
import type { Via } from './via.ts'

export type HttpsParts = {
  readonly identities: Identities
  readonly answering: Answering
  readonly limits: HttpLimits
  /** How long browsers shall use nothing but TLS for our own names; 0: they are not told. */
  readonly hstsSeconds: () => number
  readonly noteHandshake: NoteHandshake
  /** What is spoken over TLS besides HTTP, by its ALPN, which is offered alone; each shakes hands itself. */
  readonly others?: ReadonlyMap<string, Layer['accept']>
  readonly random: (bytes: number) => Buffer
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Log
}

/** S22: how long a ClientHello may take. */
const HELLO_MS = 5_000
const CHALLENGE = 'acme-tls/1'
/** Fatal alerts, in a record each: RFC 8446 sections 5.1 and 6. */
const DECODE_ERROR = Buffer.from([21, 3, 1, 0, 2, 2, 50])
const INTERNAL_ERROR = Buffer.from([21, 3, 1, 0, 2, 2, 80])
const TRY_HTTPS = 'this port speaks TLS: use https://\n'
const WARN_EVERY_MS = 60_000

/** TLS, and HTTP/2 above it, below an HTTP/1.1 listener. */
export function createHttpsLayer(parts: HttpsParts): Layer & { readonly close: () => void } {
  const { identities, answering, limits, hstsSeconds, noteHandshake, others = new Map(), random, now, log } = parts
  const waiting = new Set<Connection>()
  const http2 = createHttp2(answering, limits, headersFor, now, log)
  const tls = createTls({ identities, noteHandshake, random, log })
  let warnedAt = Number.NEGATIVE_INFINITY

  function accept(socket: Connection, via: Via, next: (socket: Connection, via: Via) => void): void {
    socket.on('error', () => socket.destroy())
    waiting.add(socket)
    readFirstBytes(socket, greetingReader(), HELLO_MS, (first) => {
      waiting.delete(socket)
      if (first?.kind === 'hello') {
        shakeHands(socket, first.hello, via, next)
        return
      }
      noteHandshake('failed')
      if (first === null) socket.destroy()
      else if (first.kind === 'http') sayTryHttps(socket)
      else refuse(socket, first.isTls ? DECODE_ERROR : null)
    })
  }

  /** Who has said nothing yet waits for nothing. */
  function closeIdle(): void {
    for (const socket of waiting) if (socket.bytesRead === 0) socket.destroy()
    http2.close()
  }

  function shakeHands(socket: Connection, hello: Hello, via: Via, next: (socket: Connection, via: Via) => void): void {
    const { name, alpn } = hello
    const other = alpn.length === 1 ? others.get(alpn[0] ?? '') : undefined
    if (other !== undefined) {
      other(socket, via, next)
      return
    }
    const isChallenge = name !== null && alpn.length === 1 && alpn[0] === CHALLENGE
    const challenge = isChallenge ? tls.challengeFor(name) : undefined
    if (challenge !== undefined) {
      challenge(socket)
      return
    }
    const handshake = tls.handshakeFor(name)
    if (handshake === undefined) {
      warnOfNone()
      noteHandshake('failed')
      refuse(socket, INTERNAL_ERROR)
      return
    }
    let isSecured = false
    socket.once('close', () => {
      if (!isSecured) log('debug', 'a TLS handshake failed', { client: via.peer ?? '' })
    })
    socket.allowHalfOpen = false // who leaves before it is secured has left
    handshake(socket, (encrypted, identity) => {
      isSecured = true
      serve(encrypted, { ...via, secured: { isFor: (host) => covers(identity, host) } }, next)
    })
  }

  function serve(socket: TLSSocket, via: Via, next: (socket: Connection, via: Via) => void): void {
    if (socket.alpnProtocol === 'h2') {
      http2.take(socket, via)
      return
    }
    socket.allowHalfOpen = true // over HTTP/1.1 some close their side and wait for the answer
    next(socket, via)
  }

  function headersFor(host: string | undefined, { secured }: Via): readonly string[] {
    const seconds = hstsSeconds()
    if (seconds === 0 || host === undefined || secured === null) return []
    const { host: name } = parseHostPort(host)
    return !isHostItself(name) && isIP(name) === 0 && secured.isFor(name)
      ? ['strict-transport-security', `max-age=${seconds}`]
      : []
  }

  function warnOfNone(): void {
    if (now() - warnedAt < WARN_EVERY_MS) return
    warnedAt = now()
    log('warn', 'TLS clients are refused: there is no certificate yet; "gatectl tls status" says why')
  }

  return {
    scheme: 'https',
    accept,
    headersFor,
    drain: http2.drain,
    closeIdle,
    cut: http2.cut,
    close: tls.close,
  }
}

function sayTryHttps(socket: Connection): void {
  socket
    .resume()
    .end(
      `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${TRY_HTTPS.length}\r\n\r\n${TRY_HTTPS}`,
    )
  destroySoon(socket)
}

function refuse(socket: Connection, alert: Buffer | null): void {
  if (alert === null) {
    socket.destroy()
    return
  }
  socket.resume().end(alert)
  destroySoon(socket)
}
