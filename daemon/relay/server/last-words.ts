import type { Socket } from 'node:net'

/** Fatal alerts. @see RFC 8446 section 6 */
export const ALERT = { accessDenied: 49, decodeError: 50, internalError: 80, unrecognizedName: 112 } as const

const LAST_WORDS_MS = 1_000
const TRY_HTTPS = 'this port speaks TLS: use https://\n'

/** Says why in one record, to who has not been answered yet, and ends the connection. */
export function sayAlert(socket: Socket, alert: number): void {
  say(socket, Buffer.from([21, 3, 1, 0, 2, 2, alert]))
}

export function sayTryHttps(socket: Socket): void {
  const head = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n'
  say(socket, `${head}Content-Length: ${TRY_HTTPS.length}\r\n\r\n${TRY_HTTPS}`)
}

/** What still comes is read and dropped, so that the last words are not lost in a reset. */
function say(socket: Socket, words: string | Buffer): void {
  if (socket.destroyed) return
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
  socket.once('close', () => clearTimeout(timer))
  socket.resume().end(words)
}
