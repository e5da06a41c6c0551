import { constants, type Http2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { TUNNEL_WINDOW_BYTES } from '../protocol.ts'

type SessionParts = {
  readonly session: Http2Session
  /** What it runs over. */
  readonly socket: TLSSocket
  readonly pingEveryMs: number
  /** A ping was answered. */
  readonly answered?: (rttMs: number) => void
  /** Called once, as soon as the session is of no use: its connection may stay a moment longer. @param isLost it did not answer */
  readonly left: (isLost: boolean) => void
}

/** Pings that stay without an answer. */
const MISSES = 2
/** For what was said last to arrive. */
const LAST_WORDS_MS = 1_000

/**
 * Asks the other side of a session whether it is there, and ends the session for good. Node closes the connection of a
 * destroyed session only when all that waits was sent, and that of one that got a GOAWAY never, so that the other side
 * could keep both as long as it likes.
 * @returns ends it; may be called any number of times
 */
export function keepSession({ session, socket, pingEveryMs, answered, left }: SessionParts): () => void {
  let hasLeft = false
  let missed = 0
  const pinging = setInterval(ask, pingEveryMs).unref()
  session.on('error', () => {}) // 'close' follows
  session.once('connect', () => {
    if (!session.destroyed) session.setLocalWindowSize(TUNNEL_WINDOW_BYTES)
  })
  session.once('goaway', (code) => {
    if (code !== constants.NGHTTP2_NO_ERROR) leave()
  })
  session.once('close', () => leave())

  function leave(isLost = false): void {
    if (hasLeft) return
    hasLeft = true
    clearInterval(pinging)
    session.destroy()
    if (!socket.destroyed) {
      const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
      socket.once('close', () => clearTimeout(timer))
    }
    left(isLost)
  }

  function ask(): void {
    if (session.destroyed) leave()
    else if (session.closed)
      return // after a GOAWAY Node sends no pings; it ends with its last stream
    else if (missed >= MISSES) leave(true)
    else {
      missed += 1
      session.ping((error, rttMs) => {
        if (error !== null) return
        missed = 0
        answered?.(rttMs)
      })
    }
  }

  return () => leave()
}
