import { hash, randomBytes, randomUUID } from 'node:crypto'
import type { Allowance } from '../../schemas/words/allowance.ts'
import type { EndCause, Ended } from '../../schemas/words/ended.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { GATE_KEY_PREFIX } from '../../schemas/words/gate-key.ts'
import type { Scope } from '../../schemas/words/scopes.ts'
import {
  type KeyChange,
  type KeyWish,
  type PreviousHash,
  SERVICE_KEY,
  type TokenRecord,
  type TokenStore,
} from './key-record.ts'
import { type KeyRights, type NoRights, rightsOf } from './key-rights.ts'
import { type AddressRanges, mayDo, type Principal, SYSTEM } from './principal.ts'
import type { UserRecord } from './users.ts'

/** Who may have made or may own keys. */
export type People = {
  readonly user: (id: string) => UserRecord | undefined
  readonly teamsOf: (userId: string) => readonly string[]
  /** @param entries addresses and ranges, of the form that was checked when the key was made */
  readonly rangesOf: (entries: readonly string[]) => AddressRanges
}

export type Tokens = ReturnType<typeof createTokens>

/** A key in memory. */
type Entry = {
  record: TokenRecord
  rights: KeyRights | NoRights
  /** What the principal was made from. */
  source: string
  /** null: it counts for nothing now. */
  principal: Principal | null
  /** Its end has been told. */
  isOver: boolean
}
/** A hash leads to a key; to one that was rotated, only until then. */
type Place = { readonly entry: Entry; readonly until: number | null }

const NO_PEOPLE: People = { user: () => undefined, teamsOf: () => [], rangesOf: () => ({ has: () => false }) }

/** How many former texts of a key may count at a time. */
const MOST_PREVIOUS = 4

/**
 * The keys in memory, in front of their store: a look-up reads no database, a revocation holds at once, and what a key
 * may do is worked out when something changes, not when it is used.
 * @param now Unix milliseconds
 */
export function createTokens(store: TokenStore, now: () => number, people: People = NO_PEOPLE) {
  const byId = new Map<string, Entry>()
  const byHash = new Map<string, Place>()
  /** The key that came last over each connection, beside its hash: clients send the same one again and again. */
  const hashes = new WeakMap<object, { readonly text: string; readonly hash: string }>()
  let previous: readonly PreviousHash[] = []
  let systemHash: string | null = null
  /** Of the text that a rotation of `auth.token` puts in place of the present one. */
  let systemNext: string | null = null
  /** Former texts of `auth.token` that have ended are still in the store. */
  let isSystemStale = false
  let onEnded: (ended: Ended) => void = () => {}
  const end = (id: string, why: EndCause) => onEnded({ kind: 'credential', id, why })
  const makers = { user: people.user, key: (id: string) => byId.get(id)?.record }
  const system: Entry = { record: SYSTEM_RECORD, rights: 'revoked', source: '', principal: SYSTEM, isOver: false }

  function remember(record: TokenRecord): void {
    const entry: Entry = { record, rights: 'revoked', source: '', principal: null, isOver: false }
    byId.set(record.id, entry)
    byHash.set(record.hash, { entry, until: null })
  }

  /** Works out again what a key may do. @returns whether it may do less than before, or nothing */
  function settle(entry: Entry): EndCause | null {
    const before = entry.rights
    const rights = rightsOf(entry.record, makers)
    const { name, namesUsers, ownerId, teamId } = entry.record
    const teams = ownerId === null ? [teamId].filter((id) => id !== null) : people.teamsOf(ownerId)
    const source = JSON.stringify([rights, name, namesUsers, ownerId, teams])
    // the same object as long as nothing changes: others keep what they have computed beside it
    if (source !== entry.source)
      entry.principal = typeof rights === 'string' ? null : principalOf(entry.record, rights, teams, people.rangesOf)
    entry.source = source
    entry.rights = rights
    if (typeof before === 'string') return null
    if (typeof rights === 'string') return rights
    return isLess(rights, before) ? 'narrowed' : null
  }

  /** @param isMeant which keys may have changed; their makers come first, whatever the order */
  function settleAll(isMeant: (record: TokenRecord) => boolean = () => true): void {
    const ends = [...byId.values()]
      .filter(({ record }) => isMeant(record))
      .map((entry) => ({ entry, why: settle(entry) }))
    for (const { entry, why } of ends) if (why !== null) end(entry.record.id, why)
  }

  /** The former texts of a key with another one; where that one does not count on, none does. */
  function withFormer(latest: PreviousHash): readonly PreviousHash[] {
    if (latest.until <= now()) return []
    return [...previous.filter(({ keyId }) => keyId === latest.keyId), latest]
  }

  function keepPrevious(keyId: string, all: readonly PreviousHash[], record: TokenRecord | null): void {
    const entry = record === null ? system : (byId.get(keyId) ?? system)
    const kept = all.filter(({ until }) => until > now()).slice(-MOST_PREVIOUS)
    store.rotate(keyId, kept, record)
    for (const { hash } of previous) if (byHash.get(hash)?.entry === entry) byHash.delete(hash)
    if (record !== null) byHash.delete(entry.record.hash)
    previous = [...previous.filter((one) => one.keyId !== keyId), ...kept]
    for (const { hash, until } of kept) byHash.set(hash, { entry, until })
  }

  /** Ends the former texts of `auth.token`, whatever the store says. */
  function endFormerSystem(): void {
    const former = previous.filter(({ keyId }) => keyId === SYSTEM.keyId)
    if (former.length === 0) return
    for (const { hash } of former) if (hash !== systemHash) byHash.delete(hash)
    previous = previous.filter(({ keyId }) => keyId !== SYSTEM.keyId)
    end(SYSTEM.credentialId, 'revoked')
    isSystemStale = true
    removeStale()
  }

  function removeStale(): void {
    if (!isSystemStale) return
    try {
      store.rotate(SYSTEM.keyId, [], null)
      isSystemStale = false
    } catch (error) {
      if (!(error instanceof GateError)) throw error // the store is full or locked: it is tried again
    }
  }

  function hashOn(connection: object, text: string): string {
    const latest = hashes.get(connection)
    if (latest?.text === text) return latest.hash
    const hash = tokenHash(text)
    hashes.set(connection, { text, hash })
    return hash
  }

  for (const record of store.all()) if (record.revokedAt === null) remember(record)
  settleAll()
  previous = store.previous()
  for (const { hash, keyId, until } of previous) {
    const entry = keyId === SYSTEM.keyId ? system : byId.get(keyId)
    if (entry !== undefined) byHash.set(hash, { entry, until })
  }

  function issue(wish: KeyWish): { record: TokenRecord; token: string } {
    const token = newText()
    const made = { id: randomUUID(), hash: tokenHash(token), createdAt: now(), disabledAt: null, revokedAt: null }
    const record: TokenRecord = { ...wish, ...made }
    store.insert(record)
    remember(record)
    settleAll(({ id }) => id === record.id)
    return { record, token }
  }

  return {
    /**
     * The principal of a key's text, or null when it is unknown, expired or revoked.
     * @param connection what the key came over; its text is kept as long as that lives, and no decision is
     */
    find(text: string, connection?: object): Principal | null {
      const place = byHash.get(connection === undefined ? tokenHash(text) : hashOn(connection, text))
      if (place === undefined) return null
      const { entry, until } = place
      if (until !== null && until <= now()) return null
      return isExpired(entry, now) ? null : entry.principal
    },

    /**
     * `auth.token` of the configuration: a key with every scope that is never stored. Where it is removed, or replaced
     * otherwise than by a rotation, its former texts end as well.
     */
    setSystemToken(text: string | undefined): void {
      const before = systemHash
      systemHash = text === undefined ? null : tokenHash(text)
      if (systemHash === null || (before !== null && ![before, systemNext].includes(systemHash))) endFormerSystem()
      if (before !== systemHash) systemNext = null
      if (before !== null && before !== systemHash && byHash.get(before)?.until === null) {
        byHash.delete(before)
        end(SYSTEM.credentialId, 'revoked')
      }
      if (systemHash !== null) byHash.set(systemHash, { entry: system, until: null })
    },

    /**
     * Lets the present text of `auth.token` count until then, although it is replaced. One that does not count on ends
     * those before it. @param until Unix milliseconds @param next what replaces it
     * @returns what takes that back, when it is not replaced after all
     */
    keepSystemToken(until: number, next: string): () => void {
      const present = systemHash
      if (present === null) return () => {}
      const kept = previous.filter(({ keyId }) => keyId === SYSTEM.keyId)
      keepPrevious(SYSTEM.keyId, withFormer({ hash: present, keyId: SYSTEM.keyId, until }), null)
      systemNext = tokenHash(next)
      return () => {
        systemNext = null
        keepPrevious(SYSTEM.keyId, kept, null)
        byHash.set(present, { entry: system, until: null })
      }
    },

    /**
     * Makes a key. What it may do was checked before, or is all that an operator of the host may.
     * @returns its record and its text, which is shown this once and cannot be had again
     */
    issue,

    /** Makes a key of the operator of the host: a service key. */
    create: (
      name: string,
      scopes: readonly Scope[],
      expiresAt: number | null,
      allowed: Allowance | null = null,
      namesUsers = false,
    ) => issue({ ...SERVICE_KEY, name, scopes, expiresAt, allowed, namesUsers }),

    /** Every key that was ever made, revoked ones included. */
    list: (): readonly TokenRecord[] => store.all(),

    /** A key that was not revoked. */
    get: (id: string): TokenRecord | undefined => byId.get(id)?.record,

    /** What a key comes down to now, after its makers; undefined: there is no such key in force. */
    rightsOf: (id: string): KeyRights | NoRights | undefined => byId.get(id)?.rights,

    /** @returns undefined when there is no such key, or it was revoked */
    change(id: string, { disabled, ...change }: KeyChange): TokenRecord | undefined {
      const entry = byId.get(id)
      if (entry === undefined) return undefined
      const before = entry.record
      const disabledAt = disabled === undefined ? before.disabledAt : disabled ? (before.disabledAt ?? now()) : null
      const record = { ...before, ...change, disabledAt }
      store.update(record)
      entry.record = record
      settleAll()
      return record
    },

    /**
     * Gives a key another text. @param overlapMs how long the one before counts as well; 0: neither it nor those before
     * @returns undefined when there is no such key, or it was revoked
     */
    rotate(id: string, overlapMs: number): { record: TokenRecord; token: string; until: number } | undefined {
      const entry = byId.get(id)
      if (entry === undefined) return undefined
      const token = newText()
      const before = entry.record
      const record = { ...before, hash: tokenHash(token) }
      const expiresAt = typeof entry.rights === 'string' ? null : entry.rights.expiresAt
      const until = Math.min(now() + overlapMs, expiresAt ?? Number.POSITIVE_INFINITY)
      keepPrevious(id, withFormer({ hash: before.hash, keyId: id, until }), record)
      entry.record = record
      byHash.set(record.hash, { entry, until: null })
      return { record, token, until }
    },

    /** @returns false when there is no such key, or it was revoked before */
    revoke(id: string): boolean {
      if (!store.revoke(id, now())) return false
      const entry = byId.get(id)
      if (entry === undefined) return true
      for (const [hash, place] of byHash) if (place.entry === entry) byHash.delete(hash)
      previous = previous.filter(({ keyId }) => keyId !== id)
      byId.delete(id)
      end(id, 'revoked')
      settleAll() // keys that it made
      return true
    },

    /** What a person may do has changed: so have their keys, and those that they made. */
    settle: (userId: string): void =>
      settleAll(({ ownerId, maker }) => ownerId === userId || maker?.id === userId || maker?.kind === 'key'),

    /** The keys of a person that were not revoked. */
    of: (userId: string): readonly TokenRecord[] =>
      [...byId.values()].filter(({ record }) => record.ownerId === userId).map(({ record }) => record),

    /**
     * Ends the keys whose time is over: none is found after that anyway, but what is being answered to them goes on. One
     * that only a wrong clock has ended counts again once that is right.
     */
    endExpired(): void {
      removeStale()
      for (const entry of byId.values()) {
        const isOver = isExpired(entry, now)
        if (isOver && !entry.isOver) end(entry.record.id, 'expired')
        entry.isOver = isOver
      }
    },

    /** Calls back with each key that stops to count while the daemon runs. */
    whenEnded(listener: (ended: Ended) => void): void {
      onEnded = listener
    },
  }
}

const SYSTEM_RECORD: TokenRecord = {
  ...SERVICE_KEY,
  id: SYSTEM.keyId,
  name: SYSTEM.name,
  scopes: ['admin'],
  hash: '',
  createdAt: 0,
  disabledAt: null,
  revokedAt: null,
}

function principalOf(
  { id, name, namesUsers, ownerId }: TokenRecord,
  { scopes, allowed, addresses, budgets, limits }: KeyRights,
  teams: readonly string[],
  rangesOf: People['rangesOf'],
): Principal {
  const lists = addresses.map(rangesOf)
  return {
    keyId: id,
    name,
    scopes: new Set(scopes),
    allowed,
    namesUsers,
    userId: ownerId,
    teams,
    via: 'key',
    credentialId: id,
    addresses: lists.length === 0 ? null : { has: (address) => lists.every((list) => list.has(address)) },
    budgets,
    limits,
  }
}

function isExpired({ rights }: Entry, now: () => number): boolean {
  return typeof rights !== 'string' && rights.expiresAt !== null && rights.expiresAt <= now()
}

function isLess(rights: KeyRights, before: KeyRights): boolean {
  const scopes = new Set(rights.scopes)
  const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b)
  return (
    before.scopes.some((scope) => !mayDo(scopes, scope)) ||
    (rights.allowed !== null && differs(rights.allowed, before.allowed)) ||
    (rights.addresses.length > 0 && differs(rights.addresses, before.addresses))
  )
}

function newText(): string {
  return GATE_KEY_PREFIX + randomBytes(32).toString('base64url')
}

function tokenHash(text: string): string {
  return hash('sha256', text, 'base64url')
}
