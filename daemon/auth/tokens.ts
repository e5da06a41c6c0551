import { hash, randomBytes, randomUUID } from 'node:crypto'
import type { Allowance } from '../../schemas/words/allowance.ts'
import type { EndCause, Ended } from '../../schemas/words/ended.ts'
import { GATE_KEY_PREFIX } from '../../schemas/words/gate-key.ts'
import type { Scope } from '../../schemas/words/scopes.ts'
import { createFormerTexts } from './former-texts.ts'
import { isLess, keyPrincipal } from './key-principal.ts'
import {
  type KeyChange,
  type KeyWish,
  type PreviousHash,
  SERVICE_KEY,
  type TokenRecord,
  type TokenStore,
} from './key-record.ts'
import { type KeyRights, type NoRights, rightsOf } from './key-rights.ts'
import { type AddressRanges, type Principal, SYSTEM } from './principal.ts'
import { createSystemToken } from './system-token.ts'
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
  const former = createFormerTexts(store, now)
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
      entry.principal = typeof rights === 'string' ? null : keyPrincipal(entry.record, rights, teams, people.rangesOf)
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

  /** Former texts in place of those that a key had. @param record what else changes of it; null: it is `auth.token` */
  function keepFormer(entry: Entry, texts: readonly PreviousHash[], record: TokenRecord | null): void {
    const { id } = entry.record
    const before = former.of(id)
    const kept = former.keep(id, texts, record)
    for (const { hash } of before) if (byHash.get(hash)?.entry === entry) byHash.delete(hash)
    if (record !== null) byHash.delete(entry.record.hash)
    for (const { hash, until } of kept) byHash.set(hash, { entry, until })
  }

  const systemToken = createSystemToken({
    former,
    hashOf: tokenHash,
    place: (hash, until) => void byHash.set(hash, { entry: system, until }),
    displace: (hash) => void byHash.delete(hash),
    isPlaced: (hash) => byHash.get(hash)?.until === null,
    keep: (texts) => keepFormer(system, texts, null),
    ended: () => end(SYSTEM.credentialId, 'revoked'),
  })

  function hashOn(connection: object, text: string): string {
    const latest = hashes.get(connection)
    if (latest?.text === text) return latest.hash
    const hash = tokenHash(text)
    hashes.set(connection, { text, hash })
    return hash
  }

  for (const record of store.all()) if (record.revokedAt === null) remember(record)
  settleAll()
  for (const { hash, keyId, until } of former.all()) {
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

    /** `auth.token` of the configuration. */
    setSystemToken: systemToken.set,
    keepSystemToken: systemToken.keepUntil,

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
      keepFormer(entry, former.with({ hash: before.hash, keyId: id, until }), record)
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
      former.forget(id)
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
      former.removeStale()
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

function isExpired({ rights }: Entry, now: () => number): boolean {
  return typeof rights !== 'string' && rights.expiresAt !== null && rights.expiresAt <= now()
}

function newText(): string {
  return GATE_KEY_PREFIX + randomBytes(32).toString('base64url')
}

function tokenHash(text: string): string {
  return hash('sha256', text, 'base64url')
}
