import type { RouteProof } from '../route-proof.ts'

/**
 * Who owns which name, which relay a node is connected to, and who may claim: what several relays of one domain must
 * agree on. What is read is in memory and answers at once, also while the store is lost; what is written waits for it.
 */

/** How a claim ended; `unavailable`: the store is lost, and nothing was written as far as is known. */
export type ClaimOutcome =
  | { readonly kind: 'claimed' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'reserved' }
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'too-many'; readonly most: number }
  | { readonly kind: 'quarantined'; readonly untilMs: number }
  | { readonly kind: 'invite-needed' }
  | { readonly kind: 'invite-refused' }
  | { readonly kind: 'no-proof'; readonly record: string; readonly value: string }
  | { readonly kind: 'unavailable' }

/** What a node asks for. Its signature was checked against its key by who received it. */
export type Claim = {
  /** One label of the relay's domain, or a host name outside of it, which a TXT record proves. */
  readonly name: string
  readonly nodeId: string
  /** Base64url of the DER of its public key. */
  readonly key: string
  /** Base64url, by that key over the exporter of its connection and the claim: other relays check it, none can use it again. */
  readonly signature: string
  /** Base64url, what was signed besides the claim itself. */
  readonly exporter: string
  /** Text of an invite, where the relay wants one. */
  readonly invite?: string | undefined
  /** Of the node that has owned the name so far, whose key signed the same claim: checked by who received it. */
  readonly previous?: { readonly nodeId: string; readonly key: string; readonly signature: string } | undefined
  /** By the operator of the relay: no invite is needed. */
  readonly isByOperator?: boolean
}

export type ReleaseOutcome = 'released' | 'not-owner' | 'unavailable'

/** A tunnel of a node somewhere. `epoch` grows: of two for one tunnel, the higher is the newer. */
export type Route = { readonly relay: string; readonly tunnel: string; readonly epoch: number }

/** A relay of the same domain. */
export type RelayRecord = {
  /** Made of its key, which is how other relays know it. */
  readonly id: string
  /** `host:port` that reaches this one alone, for nodes and for other relays. */
  readonly address: string
}

export type NameRecord = {
  /** Whole host name. */
  readonly host: string
  readonly nodeId: string
  readonly claimedAtMs: number
  /** Set when released: not given to another node before 90 days after that. */
  readonly releasedAtMs?: number | undefined
}

export type InviteRecord = {
  /** First 8 characters of its hash. */
  readonly id: string
  readonly left: number
  readonly expiresAtMs: number
  readonly note: string
}

export type Registry = {
  /** Resolves once what is stored was read, or at once from what an earlier run left. */
  readonly ready: Promise<void>
  /** Whether what is written can be written now. */
  state(): 'live' | 'lost'
  claim(claim: Claim): Promise<ClaimOutcome>
  /** @param name as it was claimed @param nodeId absent: by the operator of the relay */
  release(name: string, nodeId?: string): Promise<ReleaseOutcome>
  /** Forgets names whose rest is over. Never rejects. */
  sweep(): Promise<void>
  /**
   * The node that visitors of a host are led to: of a key-derived name the one in it, else its owner; null for a host
   * that no one has.
   * @param host lower case, without final dot
   */
  ownerOf(host: string): string | null
  /** Hosts that a node owns besides its key-derived one. */
  namesOf(nodeId: string): readonly string[]
  names(): readonly NameRecord[]
  /**
   * A tunnel of a node to this relay.
   * @param proof by which the other relays believe it
   * @returns its epoch, or undefined while the store is lost: announced then later
   */
  announce(nodeId: string, tunnel: string, proof: RouteProof): Promise<number | undefined>
  withdraw(nodeId: string, tunnel: string): Promise<void>
  /**
   * Where a node has tunnels, at this relay and at others, the newest first: those that the node itself has vouched for,
   * and whose time is not over.
   */
  routesOf(nodeId: string): readonly Route[]
  /** This relay, from now on as long as it runs. */
  join(relay: RelayRecord): Promise<void>
  /** Other relays send no more visitors here; tunnels stay until they are withdrawn. */
  leave(): Promise<void>
  relays(): readonly RelayRecord[]
  /** Records of DNS that this domain's relays wrote and have not removed yet. */
  readonly records: RecordLedger
  /** @returns the text of the invite, which is shown once; undefined while the store is lost */
  makeInvite(uses: number, expiresAtMs: number, note: string): Promise<string | undefined>
  invites(): readonly InviteRecord[]
  /** Is told the nodes whose names have changed, by whichever relay of the domain. @returns stops that */
  onNames(listener: (nodeId: string) => void): () => void
  /** Leaves: tunnels and this relay are withdrawn where the store can be reached. */
  close(): Promise<void>
}

/** One TXT record that is to be removed again. */
export type WrittenRecord = { readonly name: string; readonly value: string; readonly removeAtMs: number }

export type RecordLedger = {
  add(record: WrittenRecord): Promise<'added' | 'too-many' | 'unavailable'>
  remove(record: WrittenRecord): Promise<'removed' | 'unavailable'>
  list(): readonly WrittenRecord[]
}
