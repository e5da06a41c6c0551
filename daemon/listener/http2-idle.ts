import type { ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { LAST_WORDS_MS } from './last-words.ts'

/** A connection that is kept as long as it is used. */
export type Kept = {
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

/**
 * Closes a connection over which nothing is asked, and one that is gone: Node does not notice every client that leaves
 * (what it writes stays under way, and streams and session wait for that to its end), but no such client answers a ping.
 * @param socket below the session @param beginMs how long its first request may take
 */
export function keepWhileUsed(session: ServerHttp2Session, socket: Socket, beginMs: number): Kept {
  let open = 0
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
    if (open > 0) after(PROBE_MS, () => probe(ANSWER_MS))
    else after(IDLE_MS, close)
  }

  after(beginMs, close)
  session.on('stream', (stream) => {
    open += 1
    if (open === 1) wait()
    stream.once('close', () => {
      open -= 1
      if (open === 0) wait()
    })
  })
  socket.once('close', () => clearTimeout(timer))
  return {
    end() {
      if (isEnding && open === 0) drop()
      if (isEnding) return
      isEnding = true
      session.close()
      if (open > 0) probe(LAST_ANSWER_MS)
    },
    cut,
  }
}
