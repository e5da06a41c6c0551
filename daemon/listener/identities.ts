/** A certificate chain and its key, PEM, leaf first. */
export type Identity = { readonly names: readonly string[]; readonly cert: string; readonly key: string }

/** What the listener serves; swapped whole while it runs. */
export type Identities = {
  /** For SNI selection; the first one serves clients that name none. */
  readonly current: () => readonly Identity[]
  /** Called when current() has changed. @returns how to stop listening */
  readonly onChange: (changed: () => void) => () => void
  /**
   * Certificate of a pending TLS-ALPN-01 challenge for a lower-case name, or undefined. Served only when the client
   * offers `acme-tls/1` and nothing else.
   */
  readonly challengeFor: (name: string) => Identity | undefined
  /** Answer of a pending HTTP-01 challenge, or undefined. */
  readonly httpChallenge: (host: string, token: string) => string | undefined
}
