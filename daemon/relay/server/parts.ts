import type { Log } from '../../../schemas/words/log.ts'
import type { Control } from '../protocol.ts'
import type { RouteProof } from '../route-proof.ts'

/** PEM. */
export type KeyAndCertificate = { readonly key: string; readonly cert: string }

/** What relay.<domain> may spend on one visitor, one address, one node, and all together. Read when it is needed. */
export type RelayLimits = {
  /** Visitors at once. */
  readonly visitors: number
  /** Connections whose ClientHello is not read yet; the oldest gives way. */
  readonly unparsed: number
  /** Of one IPv4 address or IPv6 /64: open at once, begun at once, and so many more each second; of its network 8 times. */
  readonly openPerAddress: number
  readonly burstPerAddress: number
  readonly newPerAddressPerSecond: number
  /** Tunnels at once, of all nodes, and of one key. */
  readonly tunnels: number
  readonly tunnelsPerNode: number
  /** Of one IPv4 address or IPv6 /64; its network (/24, /48) may have eight times as many. */
  readonly tunnelsPerAddress: number
  /** Tunnels that one key may begin in a minute. */
  readonly registrationsPerMinute: number
  /** Visitors of one node at once. */
  readonly streamsPerNode: number
  /** Both directions together; 0: no bound. */
  readonly bytesPerSecondPerNode: number
  readonly dailyBytesPerNode: number
  /** Validations of ACME (acme-tls/1) of one name that one address may ask for in an hour. */
  readonly challengesPerHour: number
  /** Bytes of all visitors that wait here for a slow side. */
  readonly bufferedBytes: number
  /** What a node may send ahead for each visitor, from 64 KiB; of new tunnels. */
  readonly windowBytes: number
  /** A visitor without a byte in either direction for so long is ended. */
  readonly idleMs: number
  /** How long a drain waits for visitors. */
  readonly drainMs: number
}

export type RelaySettings = {
  /** Nodes are `<name>.<domain>`, and the relay itself is `relay.<domain>`. */
  readonly domain: string
  /** Networks whose connections begin with a PROXY header, and must. */
  readonly trustedProxies: readonly string[]
  /** Networks that may connect; empty: all. */
  readonly allowFrom: readonly string[]
}

/** Names beside those made of keys, which need no record. Answers at once, from memory, and goes on when its store is lost. */
export type Names = {
  /** @param host whole and lower case: a claimed name or a custom domain. @returns id of the node; null: unknown */
  ownerOf(host: string): string | null
  /** The claimed names and custom domains of a node, whole. */
  namesOf(nodeId: string): readonly string[]
}

/** Another relay of the same domain. */
export type Peer = {
  /** nodeIdOf its Ed25519 key. */
  readonly id: string
  /** `host:port` that reaches this one and no other. */
  readonly address: string
}

/** Where nodes are. Reads answer from memory; writes are remembered, and tried again when the store is lost. */
export type Presence = {
  /** @param proof signed by the node, which other relays want to see */
  announce(nodeId: string, tunnelId: string, proof: RouteProof): void
  withdraw(nodeId: string, tunnelId: string): void
  /** Relays that have a tunnel of a node, this one left out, best first. */
  routesOf(nodeId: string): readonly { readonly relay: string; readonly epoch: number }[]
  /** The other relays. */
  peers(): readonly Peer[]
}

/** Who sends a request by the control stream. */
export type Requester = {
  readonly nodeId: string
  /** DER of its public key. */
  readonly spki: Buffer
  /** Of its tunnel, see EXPORTER. */
  readonly exporter: Buffer
}

/** A requester with the address and port that its tunnel came from. */
export type LocatedRequester = Requester & { readonly address: string }

export type NodeRequest = Control<'claim' | 'release' | 'txt-set' | 'txt-remove'>

/** Answers what nodes ask for. `result` is a stable word, `ok` when it was done. Must not throw. */
export type NodeRequests = (
  from: LocatedRequester,
  request: NodeRequest,
  signal: AbortSignal,
) => Promise<{ readonly result: string; readonly detail?: string }>

export type RelayParts = {
  readonly names: Names
  readonly presence: Presence
  readonly requests: NodeRequests
  readonly settings: () => RelaySettings
  readonly limits: () => RelayLimits
  /** Of relay.<domain>, asked for at each handshake, so that it may be renewed; null: there is none yet. */
  readonly identity: () => KeyAndCertificate | null
  /** The relay's own Ed25519 key with a self-signed certificate: what other relays know it by. */
  readonly ownKey: KeyAndCertificate
  /** Answers a validation of relay.<domain> itself (acme-tls/1); null: none is going on. */
  readonly challenge?: () => KeyAndCertificate | null
  /** Shorter in tests, both. */
  readonly pingEveryMs?: number
  readonly openingMs?: number
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly random: (bytes: number) => Buffer
  readonly log: Log
}
