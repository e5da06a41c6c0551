import type { Connection } from './connection.ts'

/** Time for last words to be sent and read. */
export const LAST_WORDS_MS = 1_000

/** Cuts a client off that stays after the last words. */
export function destroySoon(socket: Connection): void {
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}
