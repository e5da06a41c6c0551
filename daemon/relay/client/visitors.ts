import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { isIP } from 'node:net'
import { parseHostPort } from '../../../schemas/words/address.ts'
import { VISITOR } from '../protocol.ts'
import { VisitorSocket } from './visitor-socket.ts'

/** Serves a visitor. @param source its address, canonical, as the relay says */
export type TakeVisitor = (socket: VisitorSocket, source: string) => void

/** Why a visitor is not served, as a status of the protocol. */
type Refusal = 400 | 421 | 429 | 503

export type VisitorParts = {
  readonly take: TakeVisitor
  /** Whether a host name, lower case, is this node's. */
  readonly isOwn: (name: string) => boolean
  readonly isDraining: () => boolean
  /** How many visitors this tunnel may bring at once. */
  readonly most: () => number
}

const MOST_HOPS = 1

/** Serves the visitors of one tunnel. */
export function createVisitors({ take, isOwn, isDraining, most }: VisitorParts) {
  const streams = new Set<ServerHttp2Stream>()
  let none: (() => void) | undefined

  function refusal(name: string, source: string, hops: number): Refusal | null {
    if (isIP(source) === 0 || source.includes('%') || !Number.isInteger(hops) || hops < 0 || hops > MOST_HOPS)
      return 400
    if (isDraining()) return 503
    if (!isOwn(name)) return 421
    return streams.size >= most() ? 429 : null
  }

  return {
    /** @param headers of a stream CONNECT */
    accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
      const { host: name } = parseHostPort(textOf(headers[':authority']))
      const { host: source } = parseHostPort(textOf(headers[VISITOR.source]))
      const status = refusal(name, source, Number(textOf(headers[VISITOR.hops]) || 0))
      if (status !== null) {
        refuse(stream, status)
        return
      }
      stream.respond({ ':status': 200 })
      streams.add(stream)
      stream.once('close', () => {
        streams.delete(stream)
        if (streams.size === 0) none?.()
      })
      take(new VisitorSocket(stream), source)
    },
    count: () => streams.size,
    /** Calls it when there is no visitor left. */
    whenNone(done: () => void): void {
      none = () => setImmediate(done) // what the last one was told is on its way
      if (streams.size === 0) none()
    },
  }
}

/** RFC 9113 section 8.5: the stream ends with the answer, and what came for it is dropped. */
function refuse(stream: ServerHttp2Stream, status: Refusal): void {
  stream.on('error', () => {})
  stream.respond({ ':status': status }, { endStream: true })
  stream.close(constants.NGHTTP2_NO_ERROR)
}

const textOf = (value: string | readonly string[] | undefined): string => (typeof value === 'string' ? value : '')
