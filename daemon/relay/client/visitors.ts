import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { isIP } from 'node:net'
import { parseHostPort } from '../../../schemas/words/address.ts'
import type { End } from '../../../wire/proxy-header.ts'
import { VISITOR } from '../protocol.ts'
import type { Room } from './room.ts'
import { type Refusal, refuse, type Visit } from './visit.ts'
import { VisitorSocket } from './visitor-socket.ts'

/**
 * Serves a visitor.
 * @param source its address, canonical, as the relay says
 * @param leaving aborts when its tunnel ends before long, so that its client is to come again by another
 */
export type TakeVisitor = (socket: VisitorSocket, source: string, leaving: AbortSignal) => void

/** Passes a visitor on to a local server. @returns false: none has that name, and the stream is as it was */
export type PassVisitor = (stream: ServerHttp2Stream, visit: Visit) => boolean

export type VisitorParts = {
  readonly take: TakeVisitor
  /** Passes a visitor on, where that is not the gateway's to serve. @returns whether it is */
  readonly pass: PassVisitor
  /** Whether a host name, lower case, is this node's. */
  readonly isOwn: (name: string) => boolean
  readonly isDraining: () => boolean
  /** What visitors of all tunnels share. */
  readonly room: Room
  /** Aborts when the tunnel ends before long. */
  readonly leaving: AbortSignal
  /** How many visitors this tunnel may bring at once. */
  readonly most: () => number
}

const MOST_HOPS = 1

/** Serves the visitors of one tunnel. */
export function createVisitors({ take, pass, isOwn, isDraining, room, leaving, most }: VisitorParts) {
  const streams = new Set<ServerHttp2Stream>()
  let none: (() => void) | undefined

  function refusal(name: string, source: string, hops: number): Refusal | null {
    if (isIP(source) === 0 || source.includes('%') || !Number.isInteger(hops) || hops < 0 || hops > MOST_HOPS)
      return 400
    if (isDraining()) return 503
    if (!isOwn(name)) return 421
    return streams.size < most() && room.hasPlace() ? null : 429
  }

  return {
    /** @param headers of a stream CONNECT */
    accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
      const { host: name } = parseHostPort(textOf(headers[':authority']))
      const { host: source, port = 0 } = parseHostPort(textOf(headers[VISITOR.source]))
      const status = refusal(name, source, Number(textOf(headers[VISITOR.hops]) || 0))
      if (status !== null) {
        refuse(stream, status)
        return
      }
      streams.add(stream)
      room.enter(stream)
      stream.once('close', () => {
        streams.delete(stream)
        if (streams.size === 0) none?.()
      })
      if (pass(stream, { name, source: endOf(source, port), target: targetOf(headers) })) return
      stream.respond({ ':status': 200 })
      take(new VisitorSocket(stream), source, leaving)
    },
    count: () => streams.size,
    /** Calls it when there is no visitor left. */
    whenNone(done: () => void): void {
      none = () => setImmediate(done) // what the last one was told is on its way
      if (streams.size === 0) none()
    },
  }
}

const MOST_PORT = 65_535
const endOf = (address: string, port: number): End => ({ address, port: port > MOST_PORT ? 0 : port })

/** Where the visitor came to; unspecified where the relay says no address. */
function targetOf(headers: IncomingHttpHeaders): End {
  const { host, port = 0 } = parseHostPort(textOf(headers[VISITOR.target]))
  return endOf(isIP(host) === 0 || host.includes('%') ? '0.0.0.0' : host, port)
}

const textOf = (value: string | readonly string[] | undefined): string => (typeof value === 'string' ? value : '')
