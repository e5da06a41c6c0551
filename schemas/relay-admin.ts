/** What gatectl and a relay tell each other over `/run/gate-relay/<instance>/admin.sock`. */
export type RelayStatus = {
  readonly instance: string
  readonly version: string
  readonly domain: string
  /** Made of its key. */
  readonly id: string
  /** Base64 of SHA-256 of its key, for `relay.pins` of nodes. */
  readonly pin: string
  /** own: signed by the relay's own key, which nodes have to pin. */
  readonly certificate: 'trusted' | 'own'
  readonly listening: readonly string[]
  readonly registry: { readonly kind: 'file' | 'etcd'; readonly state: 'live' | 'lost' }
  readonly tunnels: number
  readonly nodes: number
  readonly visitors: number
  readonly names: number
  /** Relays of the same domain, this one among them. */
  readonly relays: readonly { readonly id: string; readonly address: string }[]
}

/** A tunnel of a node to this relay. */
export type RelayTunnel = {
  readonly nodeId: string
  readonly tunnelId: string
  /** Another one at each start of the daemon. */
  readonly instanceId: string
  /** Its key was seen at two daemons in the last hour. */
  readonly isCopied: boolean
  readonly names: readonly string[]
  /** Address and port of the node. */
  readonly address: string
  readonly connectedMs: number
  readonly visitors: number
  /** From visitors to the node, and back. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** null: not measured yet. */
  readonly rttMs: number | null
}

export type RelayName = {
  readonly host: string
  readonly nodeId: string
  readonly claimedAtMs: number
  readonly releasedAtMs?: number | undefined
}

export type RelayInvite = {
  readonly id: string
  readonly left: number
  readonly expiresAtMs: number
  readonly note: string
}

/** `result` is `ok` or a stable word; `detail` says more to people. */
export type RelayOutcome = { readonly result: string; readonly detail?: string }

/** Route -> its answer. */
export type RelayAnswers = {
  'GET /status': RelayStatus
  'GET /nodes': { readonly tunnels: readonly RelayTunnel[] }
  'GET /names': { readonly names: readonly RelayName[] }
  'POST /claim': RelayOutcome
  'POST /release': RelayOutcome
  'GET /invites': { readonly invites: readonly RelayInvite[] }
  'POST /invites': { readonly invite: string; readonly expiresAtMs: number; readonly uses: number } | RelayOutcome
}

export type RelayRoute = keyof RelayAnswers
