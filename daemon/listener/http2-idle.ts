import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { LAST_WORDS_MS } from './last-words.ts'

/** A connection that is kept as long as it is used. */
export type Kept = {
  /**
   * Tells the client to ask over another connection: while something is asked, which it hears before the answer, so that
   * nothing that it asks because of that answer is lost. What crosses the GOAWAY is above the last stream that it names,
   * and may be asked again elsewhere (RFC 9113 section 6.8). One that promises to serve all would lose it: Node takes no
   * stream after any GOAWAY that it has sent.
   */
  readonly leave: () => void
  readonly isLeaving: () => boolean
  /** False for a stream that a GOAWAY has told its client to ask elsewhere. */
  readonly isServed: (stream: ServerHttp2Stream) => boolean
  /** Ends it with the last of its streams; asked again, at once if there is none. */
  readonly end: () => void
  /** Ends it now, and says why. @param code of RFC 9113 section 7 */
  readonly cut: (code?: number) => void
}

/** Longer than the idle time of common proxies in front, as with HTTP/1.1. */
const IDLE_MS = 75_000
/** While something is asked, the client is asked in turn whether it is there: how often, and how long it has to answer. */
const PROBE_MS = 15_000
const ANSWER_MS = 60_000
/** The same when the daemon ends. */
const LAST_ANSWER_MS = 10_000
/** How long the first request of a new connection is waited for then. */
const LAST_FIRST_MS = 1_000

/**
 * Closes a connection over which nothing is asked, and one that is gone: Node does not notice every client that leaves
 * (what it writes stays under way, and streams and session wait for that to its end), but no such client answers a ping.
 * @param socket below the session @param beginMs how long its first request may take
 */
export function keepWhileUsed(session: ServerHttp2Session, socket: Socket, beginMs: number): Kept {
  const open = new Set<ServerHttp2Stream>()
  let lastId = 0
  let servedId = Number.POSITIVE_INFINITY
  let isLeaving = false
  let isEnding = false
  let timer: NodeJS.Timeout | undefined
  const after = (ms: number, step: () => void) => {
    clearTimeout(timer)
    if (!socket.destroyed) timer = setTimeout(step, ms).unref()
  }
  const drop = () => void socket.destroy()
  const cut = (code?: number) => {
    session.destroy(undefined, code)
    after(LAST_WORDS_MS, drop)
  }
  const close = () => {
    session.close()
    after(LAST_WORDS_MS, drop)
  }
  const probe = (answerMs: number) => {
    after(answerMs, drop)
    if (session.destroyed) return
    session.ping((error) => {
      if (error === null) wait()
    })
  }
  const wait = () => {
    if (session.destroyed) return
    if (open.size > 0) after(PROBE_MS, () => probe(ANSWER_MS))
    else after(IDLE_MS, close)
  }

  const sayGoAway = () => {
    if (session.destroyed || servedId !== Number.POSITIVE_INFINITY) return
    servedId = lastId
    session.goaway(constants.NGHTTP2_NO_ERROR, servedId)
  }

  after(beginMs, close)
  session.on('stream', (stream) => {
    lastId = Math.max(lastId, stream.id ?? 0)
    open.add(stream)
    if (open.size === 1) wait()
    if (isLeaving) setImmediate(sayGoAway) // when all that came with it is known
    stream.once('close', () => {
      open.delete(stream)
      if (open.size === 0) wait()
    })
  })
  socket.once('close', () => clearTimeout(timer))
  return {
    leave() {
      isLeaving = true
      for (const stream of open) if (!stream.writableEnded) sayGoAway()
    },
    isLeaving: () => isLeaving,
    isServed: ({ id = 0 }) => id <= servedId,
    end() {
      if (isEnding && open.size === 0 && lastId > 0) drop()
      if (isEnding) return
      isEnding = true
      const finish = () => {
        session.close()
        if (open.size > 0) probe(LAST_ANSWER_MS)
      }
      if (lastId > 0) {
        finish()
        return
      }
      after(LAST_FIRST_MS, close)
      session.once('stream', () => setImmediate(finish))
    },
    cut,
  }
}
