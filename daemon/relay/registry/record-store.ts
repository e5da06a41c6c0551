/** One key and what is stored there. */
export type Stored = {
  readonly key: string
  readonly value: string
  /** Grows with every change of anything in the store; 0 means that the key is not there. */
  readonly revision: number
}

export type Change = {
  readonly key: string
  /** null: the key is removed. */
  readonly value: string | null
  /** The key lives as long as this process does, and a few seconds longer. */
  readonly isLeased?: boolean
}

/** `revision` is what the key must still have; 0: it must not be there. */
export type Condition = { readonly key: string; readonly revision: number }

export type Commit =
  | { readonly kind: 'done'; readonly revision: number }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'lost'; readonly reason: string }

/**
 * Keys and values with a whole copy in memory: what the registry needs of a file, of etcd, or of anything else that
 * changes several keys at once or none, under conditions.
 */
export type RecordStore = {
  readonly ready: Promise<void>
  /** Whether others write there as well. */
  readonly isShared: boolean
  state(): 'live' | 'lost'
  /** From memory. */
  get(key: string): Stored | undefined
  /** From memory, sorted by key. */
  list(prefix: string): readonly Stored[]
  /** All changes, or none. Memory has them when this resolves with `done`. */
  commit(conditions: readonly Condition[], changes: readonly Change[]): Promise<Commit>
  /** @param listener is told the keys that changed, by whomever @returns stops that */
  onChange(listener: (keys: readonly string[]) => void): () => void
  close(): Promise<void>
}
