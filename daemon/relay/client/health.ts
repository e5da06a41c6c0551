import type { Http2Session } from 'node:http2'
import { PING_EVERY_MS } from '../protocol.ts'

const MOST_MISSED = 2

/**
 * Asks the other side again and again whether it is there, as a connection that is cut somewhere says nothing.
 * @param now monotonic milliseconds @param gone called once, when it has not answered for two rounds
 */
export function keepAlive(session: Http2Session, now: () => number, gone: () => void) {
  let missed = 0
  let rttMs: number | null = null
  const ask = () => {
    if (session.destroyed) return
    if (missed >= MOST_MISSED) {
      clearInterval(timer)
      gone()
      return
    }
    missed += 1
    const sentMs = now()
    session.ping((error) => {
      if (error !== null) return
      missed = 0
      rttMs = now() - sentMs
    })
  }
  const timer = setInterval(ask, PING_EVERY_MS).unref()
  session.once('close', () => clearInterval(timer))
  ask()
  return { rttMs: () => rttMs }
}
