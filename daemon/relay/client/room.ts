import type { ServerHttp2Stream } from 'node:http2'
import { resetStream } from '../reset-stream.ts'

/** Each has TLS of its own, about 60 KB. */
const MOST_VISITORS = 1_024
/** HTTP/2 lets each visitor fill its window, 1 MiB, before anybody has read of it. */
const MOST_HELD_BYTES = 64 * 2 ** 20
/** What a piece takes beside its bytes, measured on Node 24; a relay may send one byte in each. */
const PIECE_BYTES = 256

export type Room = ReturnType<typeof createRoom>

/**
 * What visitors of all tunnels may take of this node together: how many there are, and what waits in memory for those that
 * do not read. Where that is too much, the one with the most is reset.
 */
export function createRoom(mostVisitors = MOST_VISITORS, mostHeldBytes = MOST_HELD_BYTES) {
  const visitors = new Map<ServerHttp2Stream, { heldBytes: number }>()
  let heldBytes = 0

  function add(place: { heldBytes: number }, bytes: number): void {
    place.heldBytes += bytes
    heldBytes += bytes
  }

  function shed(): void {
    const [largest] = [...visitors].toSorted(([, a], [, b]) => b.heldBytes - a.heldBytes)
    if (largest === undefined) return
    const [stream, place] = largest
    add(place, -place.heldBytes)
    resetStream(stream)
  }

  return {
    hasPlace: () => visitors.size < mostVisitors,
    /** Counts a visitor until it is closed. @param stream that nothing has been read of */
    enter(stream: ServerHttp2Stream): void {
      const place = { heldBytes: 0 }
      visitors.set(stream, place)
      const push = stream.push.bind(stream)
      // Node tells nobody else what has come and waits
      stream.push = (piece, encoding) => {
        if (piece !== null) add(place, piece.length + PIECE_BYTES)
        if (heldBytes > mostHeldBytes) shed()
        return !stream.destroyed && push(piece, encoding)
      }
      stream.on('data', (piece: Buffer) => add(place, Math.max(-place.heldBytes, -piece.length - PIECE_BYTES)))
      stream.once('close', () => {
        add(place, -place.heldBytes)
        visitors.delete(stream)
      })
    },
    visitors: () => visitors.size,
    heldBytes: () => heldBytes,
  }
}
