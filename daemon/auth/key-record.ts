import type { Allowance } from '../../schemas/words/allowance.ts'
import type { Scope } from '../../schemas/words/scopes.ts'

/** Who made a key; null: the operator of the host. */
export type Maker = { readonly kind: 'user' | 'key'; readonly id: string } | null

/** What is said of a key when it is made. */
export type KeyWish = {
  readonly name: string
  readonly scopes: readonly Scope[]
  /** Unix milliseconds; null: never. */
  readonly expiresAt: number | null
  readonly allowed: Allowance | null
  readonly namesUsers: boolean
  /** The person whose key it is; null: a service key. */
  readonly ownerId: string | null
  /** The team that a service key counts for; null: none. */
  readonly teamId: string | null
  readonly maker: Maker
  /** Addresses and ranges that it may come from; empty: any. */
  readonly addresses: readonly string[]
  /** Names of budgets and limits of its own. */
  readonly budgets: readonly string[]
  readonly limits: readonly string[]
  /** Id of the gateway that alone may use it; null: any client may. */
  readonly node: string | null
}

/** A stored key: never its text, only the SHA-256 of it. Times are Unix milliseconds. */
export type TokenRecord = KeyWish & {
  readonly id: string
  readonly hash: string
  readonly createdAt: number
  readonly disabledAt: number | null
  readonly revokedAt: number | null
}

/** What a key was before it was rotated, which counts for a while. */
export type PreviousHash = { readonly hash: string; readonly keyId: string; readonly until: number }

/** What the keys need from storage. */
export type TokenStore = {
  readonly all: () => readonly TokenRecord[]
  readonly insert: (record: TokenRecord) => void
  /** Replaces the one of this id, but not when it was made and revoked. */
  readonly update: (record: TokenRecord) => void
  /** @returns false when there is no such key, or it was revoked before */
  readonly revoke: (id: string, at: number) => boolean
  readonly previous: () => readonly PreviousHash[]
  /** In place of all that were kept of this key; with what else changes of it, or with nothing. */
  readonly rotate: (keyId: string, previous: readonly PreviousHash[], record: TokenRecord | null) => void
}

/** What can be changed of a key. */
export type KeyChange = Partial<Omit<KeyWish, 'maker' | 'node'>> & { readonly disabled?: boolean }

/** A key of the operator of the host, without limits. */
export const SERVICE_KEY: Omit<KeyWish, 'name' | 'scopes'> = {
  expiresAt: null,
  allowed: null,
  namesUsers: false,
  ownerId: null,
  teamId: null,
  maker: null,
  addresses: [],
  budgets: [],
  limits: [],
  node: null,
}
