import type { Connection } from './connection.ts'

/** How a request came here. */
export type Via = {
  /** Address that the connection came from; null: from the proxy of this host, over a Unix socket which it alone reaches. */
  readonly peer: string | null
  /** What its certificate is for, where TLS ends here; null: no TLS. */
  readonly secured: Secured | null
  /** Id of the gateway that has shown its key; absent: the client is none. */
  readonly peerNode?: string
  /** A relay has brought it. */
  readonly isRelayed?: true
  /** Aborts when this way ends before long: its client is to come again by another. */
  readonly leaving?: AbortSignal
}

/** The TLS end of a connection. */
export type Secured = {
  /** Whether the certificate that was shown is for a (canonical) host. */
  readonly isFor: (host: string) => boolean
}

const VIA = Symbol('how requests come over this connection')

/** Notes how requests come over a connection. */
export function noteVia(socket: Connection & { [VIA]?: Via }, via: Via): void {
  socket[VIA] = via
}

const NOWHERE: Via = { peer: '', secured: null }

/** What was noted; what was not came from nowhere, which is no address that may do anything. */
export const viaOf = (socket: Connection & { readonly [VIA]?: Via }): Via => socket[VIA] ?? NOWHERE
