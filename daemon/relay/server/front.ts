import type { Socket } from 'node:net'
import { canonicalHost } from '../../../schemas/words/address.ts'
import type { Hello } from '../../../wire/client-hello.ts'
import { readFirstBytes } from '../../../wire/first-bytes.ts'
import { greetingReader } from '../../../wire/greeting.ts'
import { type ProxyReading, readProxyHeader } from '../../../wire/proxy-protocol.ts'
import { addressList } from '../../admit/address.ts'
import type { createAddresses } from './addresses.ts'
import { ALERT, sayAlert, sayTryHttps } from './last-words.ts'
import type { Counts } from './metrics.ts'
import type { RelayLimits, RelaySettings } from './parts.ts'

/** A connection whose ClientHello was read, and put back: the socket is paused. */
export type Arrival = {
  readonly socket: Socket
  readonly hello: Hello
  /** Address of the visitor, without port. */
  readonly address: string
  /** Address and port of the visitor, and those it has reached. */
  readonly source: string
  readonly target: string
}

type FrontParts = {
  readonly settings: () => RelaySettings
  readonly limits: () => RelayLimits
  readonly addresses: ReturnType<typeof createAddresses>
  readonly counts: Counts
  /** A sound ClientHello has come. */
  readonly arrive: (arrival: Arrival) => void
}

/** S22, and a slow client: to the first byte, and from there to the end of the hello. */
const HELLO_MS = { firstMs: 5_000, restMs: 3_000 }

/** Takes connections, and reads who they are from and which name they ask for, within bounds. */
export function createFront({ settings, limits, addresses, counts, arrive }: FrontParts) {
  /** Oldest first. */
  const unparsed = new Set<Socket>()
  const listOf = remembered(addressList)
  const allowed = remembered(addressList)

  function take(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    socket.allowHalfOpen = true
    socket.setNoDelay(true)
    const { remoteAddress, remotePort } = socket
    if (remoteAddress === undefined) {
      socket.destroy()
      return
    }
    counts.connections += 1
    const peer = canonicalHost(remoteAddress)
    if (!listOf(settings().trustedProxies).has(peer)) {
      receive(socket, peer, remotePort ?? 0)
      return
    }
    wait(socket)
    readFirstBytes(socket, headerReader(), HELLO_MS, (reading) => {
      if (reading?.kind !== 'proxied') refuse(socket, 'proxy-header')
      else receive(socket, canonicalHost(reading.peer ?? peer), reading.port ?? remotePort ?? 0)
    })
  }

  /** Makes room for one more whose first bytes are awaited: who waits longest has had its time. */
  function wait(socket: Socket): void {
    for (const oldest of unparsed) {
      if (unparsed.size < limits().unparsed) break
      unparsed.delete(oldest)
      refuse(oldest, 'evicted')
    }
    unparsed.add(socket)
    socket.once('close', () => unparsed.delete(socket))
  }

  function receive(socket: Socket, address: string, port: number): void {
    const { allowFrom } = settings()
    if (allowFrom.length > 0 && !allowed(allowFrom).has(address)) {
      refuse(socket, 'not-allowed')
      return
    }
    const release = addresses.take(address)
    if (release === null) {
      refuse(socket, 'address-limit')
      return
    }
    socket.once('close', release)
    if (!unparsed.has(socket)) wait(socket)
    const source = withPort(address, port)
    const target = withPort(canonicalHost(socket.localAddress ?? ''), socket.localPort ?? 0)
    readFirstBytes(socket, greetingReader(), HELLO_MS, (first) => {
      unparsed.delete(socket)
      if (first?.kind === 'hello') {
        arrive({ socket, hello: first.hello, address, source, target })
      } else if (first === null) refuse(socket, 'slow')
      else if (first.kind === 'http') {
        counts.refused['http'] += 1
        sayTryHttps(socket)
      } else {
        counts.refused['not-tls'] += 1
        if (first.isTls) sayAlert(socket, ALERT.decodeError)
        else socket.destroy()
      }
    })
  }

  function refuse(socket: Socket, why: keyof Counts['refused']): void {
    if (!socket.destroyed) counts.refused[why] += 1
    unparsed.delete(socket)
    socket.destroy()
  }

  return { take, waiting: () => unparsed.size }
}

/** Of the last argument, as long as it is the same. */
function remembered<A, R>(make: (argument: A) => R): (argument: A) => R {
  let last: { readonly argument: A; readonly result: R } | undefined
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: make(argument) }
    return last.result
  }
}

const withPort = (address: string, port: number) => `${address.includes(':') ? `[${address}]` : address}:${port}`

function headerReader() {
  let bytes: Buffer = Buffer.alloc(0)
  return (chunk: Buffer): { readonly found: ProxyReading; readonly used: number } | undefined => {
    bytes = Buffer.concat([bytes, chunk])
    const found = readProxyHeader(bytes)
    if (found.kind === 'more') return undefined
    return { found, used: found.kind === 'proxied' ? found.bytes : 0 }
  }
}
