import type { Duplex } from 'node:stream'

/** What a reader of first bytes makes of them: undefined, not enough yet; else what it is, and how many bytes of it are used up. */
type Read<T> = (chunk: Buffer) => { readonly found: T; readonly used: number } | undefined

/** Beyond this many chunks they are joined: each costs more than its bytes. */
const MOST_CHUNKS = 64

/** How long the first byte may take, and from then on the rest. */
type Deadlines = { readonly firstMs: number; readonly restMs: number }

/**
 * Reads the start of a connection until `read` knows what it is, and puts back what was not used up. The connection is
 * paused then.
 * @param deadline how long that may take, in milliseconds: all of it, or in two parts
 * @param done called once; with null when the client was too slow or has left
 */
export function readFirstBytes<T>(
  socket: Duplex,
  read: Read<T>,
  deadline: number | Deadlines,
  done: (found: T | null) => void,
) {
  let chunks: Buffer[] = []
  const end = (found: T | null) => {
    clearTimeout(timer)
    socket.off('data', take).off('end', leave).off('close', leave).off('error', leave)
    done(found)
  }
  const take = (chunk: Buffer) => {
    if (chunks.length === 0 && typeof deadline !== 'number') {
      clearTimeout(timer)
      timer = setTimeout(leave, deadline.restMs).unref()
    }
    chunks.push(chunk)
    if (chunks.length > MOST_CHUNKS) chunks = [Buffer.concat(chunks)]
    const result = read(chunk)
    if (result === undefined) return
    socket.pause()
    const rest = Buffer.concat(chunks).subarray(result.used)
    if (rest.length > 0) socket.unshift(rest)
    end(result.found)
  }
  const leave = () => end(null)
  let timer = setTimeout(leave, typeof deadline === 'number' ? deadline : deadline.firstMs).unref()
  socket.on('data', take).once('end', leave).once('close', leave).once('error', leave)
  socket.resume() // another reader of first bytes may have paused it
}
