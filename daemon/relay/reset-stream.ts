import type { Http2Stream } from 'node:http2'
import { addAbortSignal } from 'node:stream'

/**
 * Resets a stream, and nothing else. What `close(code)` does is to end it and then to reset it, in two frames: who reads
 * the first one alone takes it for an end, and what was cut for whole.
 */
export function resetStream(stream: Http2Stream): void {
  if (stream.destroyed) return
  stream.once('error', () => {}) // which is this one
  addAbortSignal(AbortSignal.abort(), stream) // its own error is the one that Node tells as CANCEL
}
