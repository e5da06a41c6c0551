import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import {
  type ConnectionOptions,
  connect,
  type DetailedPeerCertificate,
  getCACertificates,
  type TLSSocket,
} from 'node:tls'

/** Where a handshake goes, and what the client says there. */
export type Hello = {
  /** Of the address that is connected to. */
  readonly host: string
  readonly port: number
  /** As SNI; addresses are not sent (RFC 6066). */
  readonly name: string
  readonly alpn: readonly string[]
  /** PEM of the CAs that are believed. */
  readonly trust: readonly string[]
  /** Only versions below TLS 1.2, with all that OpenSSL still has for them. */
  readonly isLegacy?: true
}

export type Greeting =
  | {
      readonly kind: 'agreed'
      /** Such as `TLSv1.3`. */
      readonly version: string
      readonly cipher: string
      /** undefined: none was agreed on. */
      readonly alpn: string | undefined
      /** The server's certificate first, each followed by its issuer, as far as it was sent or is believed. */
      readonly chain: readonly X509Certificate[]
      /** OpenSSL's code of why the chain is not believed; undefined: it is. The name is not looked at. */
      readonly distrust: string | undefined
      readonly hasStaple: boolean
      /** Address that answered. */
      readonly remote: string
    }
  | {
      readonly kind: 'refused'
      /** `connect`: no TCP connection; `handshake`: it ended before there was an agreement. */
      readonly stage: 'connect' | 'handshake'
      /** Of the system or of OpenSSL, such as `ECONNREFUSED`. */
      readonly code: string
      readonly message: string
    }

const DEADLINE_MS = 5_000
/** For the server to end the connection, too. */
const GOODBYE_MS = 500
/** A chain has two or three; what names itself as its issuer in a circle ends here. */
const LONGEST_CHAIN = 10

/** Says hello as a client does, reads what the server shows, and leaves. Never rejects. */
export function greet(hello: Hello, signal: AbortSignal): Promise<Greeting> {
  const { promise, resolve } = Promise.withResolvers<Greeting>()
  const socket = connect(optionsOf(hello))
  let [isConnected, hasStaple] = [false, false]
  const refuse = (code: string, message: string) =>
    resolve({ kind: 'refused', stage: isConnected ? 'handshake' : 'connect', code, message })
  const late = () => refuse('ETIMEDOUT', `no answer within ${DEADLINE_MS / 1_000} s`)
  const timer = setTimeout(late, DEADLINE_MS)
  signal.addEventListener('abort', late, { once: true })
  socket.once('connect', () => {
    isConnected = true
  })
  socket.once('OCSPResponse', (response: Buffer | null) => {
    hasStaple = response !== null && response.length > 0
  })
  socket.once('secureConnect', () => {
    const greeting = agreed(socket, hasStaple)
    socket
      .off('error', failed)
      .off('close', closed)
      .on('error', () => resolve(greeting))
    // the server has not seen the end of the handshake yet: cut off here, it counts as failed
    socket.once('close', () => resolve(greeting))
    setTimeout(() => resolve(greeting), GOODBYE_MS).unref()
    socket.resume().end()
  })
  const failed = (error: NodeJS.ErrnoException) => refuse(error.code ?? '', reasonOf(error))
  const closed = () => refuse('ECONNRESET', 'the server closed the connection')
  socket.once('error', failed)
  socket.once('close', closed)
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', late)
    socket.destroy()
  })
}

function optionsOf({ host, port, name, alpn, trust, isLegacy }: Hello): ConnectionOptions {
  return {
    host,
    port,
    ...(isIP(name) === 0 && { servername: name }),
    ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
    ca: [...trust],
    rejectUnauthorized: false, // what is wrong with it is what is wanted
    checkServerIdentity: () => undefined,
    requestOCSP: true,
    ...(isLegacy && { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  }
}

function agreed(socket: TLSSocket, hasStaple: boolean): Greeting {
  return {
    kind: 'agreed',
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol === false || socket.alpnProtocol === null ? undefined : socket.alpnProtocol,
    chain: chainOf(socket.getPeerCertificate(true)),
    // Node's types say Error; it is the code
    distrust: socket.authorized ? undefined : String(socket.authorizationError),
    hasStaple,
    remote: socket.remoteAddress ?? '',
  }
}

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = []
  let at: DetailedPeerCertificate | undefined = leaf
  while (at?.raw !== undefined && chain.length < LONGEST_CHAIN) {
    chain.push(new X509Certificate(at.raw))
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate
  }
  return chain
}

/** OpenSSL's messages name its source files; the reason is in the middle. */
function reasonOf(error: Error): string {
  if ('reason' in error && typeof error.reason === 'string') return error.reason
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : error.message
}

/** What a client of this host believes: Node's CAs and those of the system. @param more PEM, beside them */
export function usualTrust(more: readonly string[] = []): readonly string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...more])]
}
