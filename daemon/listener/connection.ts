import type { Duplex } from 'node:stream'

/** A client's connection: over TCP, a Unix socket, or what a relay brings. */
export type Connection = Duplex & {
  /** Bytes that have come over it. */
  readonly bytesRead: number
}
