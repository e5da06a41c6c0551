import { constants, type Http2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { resetStream } from '../reset-stream.ts'

/** One side of a passage. */
export type End = {
  readonly stream: Duplex
  /** Ends it so that its peer sees a reset, not an end. */
  readonly reset: () => void
  /** Whether its peer has done that, which may look like an end. */
  readonly wasReset: () => boolean
}

export const socketEnd = (socket: Socket): End => ({
  stream: socket,
  reset() {
    // libuv refuses to reset while an end is being sent, and Node would then never close the socket
    if (socket.writableEnded && !socket.writableFinished) socket.destroy()
    else socket.resetAndDestroy()
  },
  wasReset: () => false,
})

export const streamEnd = (stream: Http2Stream): End => ({
  stream,
  reset: () => resetStream(stream),
  wasReset: () => stream.aborted || (stream.rstCode ?? 0) !== constants.NGHTTP2_NO_ERROR,
})
