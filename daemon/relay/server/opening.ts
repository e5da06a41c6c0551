import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import type { Duplex } from 'node:stream'
import { VISITOR } from '../protocol.ts'
import { resetStream } from '../reset-stream.ts'

/** Who a visitor is, as it is told to the node. */
export type Visit = {
  /** Lower case, without port. */
  readonly host: string
  readonly source: string
  readonly target: string
  /** The relay that took it. */
  readonly relay: string
  readonly connection: string
  readonly hops: number
}

/** `status`: of the answer; 0: there was none. */
export type Opening =
  | { readonly kind: 'open'; readonly stream: ClientHttp2Stream }
  | { readonly kind: 'refused'; readonly status: number }

type OpeningParts = {
  readonly session: ClientHttp2Session
  readonly visit: Visit
  /** First bytes of the visitor, which go along without waiting for the answer. */
  readonly head: Buffer
  /** It is given up when this closes, or there is no answer in time. */
  readonly visitor: Duplex
  readonly withinMs: number
}

export const NOT_NOW: Opening = { kind: 'refused', status: 0 }

/** Opens a visitor's stream, and waits for the answer. */
export function openStream({ session, visit, head, visitor, withinMs }: OpeningParts): Promise<Opening> {
  return new Promise((resolve) => {
    if (session.closed || session.destroyed || visitor.destroyed || withinMs <= 0) {
      resolve(NOT_NOW)
      return
    }
    let stream: ClientHttp2Stream
    try {
      stream = session.request(headersOf(visit), { endStream: false })
    } catch {
      resolve(NOT_NOW) // it was told to go away in this very moment
      return
    }
    const conclude = (opening: Opening) => {
      clearTimeout(timer)
      visitor.off('close', giveUp)
      stream.off('close', giveUp)
      if (opening.kind === 'refused') resetStream(stream)
      resolve(opening)
    }
    const giveUp = () => conclude(NOT_NOW)
    const timer = setTimeout(giveUp, withinMs)
    stream.on('error', () => {}) // 'close' follows
    stream.once('close', giveUp)
    visitor.once('close', giveUp)
    stream.once('response', ({ ':status': status = 0 }) =>
      conclude(status === 200 ? { kind: 'open', stream } : { kind: 'refused', status }),
    )
    stream.write(head)
  })
}

function headersOf({ host, source, target, relay, connection, hops }: Visit): OutgoingHttpHeaders {
  return {
    ':method': 'CONNECT',
    ':authority': `${host}:443`,
    [VISITOR.source]: source,
    [VISITOR.target]: target,
    [VISITOR.relay]: relay,
    [VISITOR.connection]: connection,
    [VISITOR.hops]: String(hops),
  }
}
