import { hash, randomBytes, randomUUID } from 'node:crypto'
import type { Allowance } from '../../schemas/words/allowance.ts'
import { GATE_KEY_PREFIX } from '../../schemas/words/gate-key.ts'
import type { Scope } from '../../schemas/words/scopes.ts'
import { type EndCause, type Ended, type Principal, SYSTEM } from './principal.ts'

/** A stored key: never its text, only the SHA-256 of it. Times are Unix milliseconds. */
export type TokenRecord = {
  readonly id: string
  readonly name: string
  readonly hash: string
  readonly scopes: readonly Scope[]
  readonly allowed: Allowance | null
  readonly namesUsers: boolean
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

/** What the keys need from storage. */
export type TokenStore = {
  readonly all: () => readonly TokenRecord[]
  readonly insert: (record: TokenRecord) => void
  /** @returns false when there is no such key, or it was revoked before */
  readonly revoke: (id: string, at: number) => boolean
}

/** @param scopes as a set */
function principalOf(
  id: string,
  name: string,
  scopes: ReadonlySet<Scope>,
  allowed: Allowance | null,
  namesUsers: boolean,
): Principal {
  return {
    keyId: id,
    name,
    scopes,
    allowed,
    namesUsers,
    userId: null,
    teams: [],
    via: 'key',
    credentialId: id,
    addresses: null,
    budgets: [],
    limits: [],
  }
}

export type Tokens = ReturnType<typeof createTokens>

/**
 * The keys in memory, in front of their store: a look-up reads no database, a revocation holds at once.
 * @param now Unix milliseconds
 */
export function createTokens(store: TokenStore, now: () => number) {
  const byHash = new Map<string, { readonly principal: Principal; readonly expiresAt: number | null }>()
  /** The key that came last over each connection, beside its hash: clients send the same one again and again. */
  const hashes = new WeakMap<object, { readonly text: string; readonly hash: string }>()
  let systemHash: string | null = null
  let onEnded: (ended: Ended) => void = () => {}
  const end = (id: string, why: EndCause) => onEnded({ kind: 'credential', id, why })

  const remember = ({ id, name, hash, scopes, allowed, namesUsers, expiresAt }: TokenRecord) =>
    byHash.set(hash, { principal: principalOf(id, name, new Set(scopes), allowed, namesUsers), expiresAt })
  for (const record of store.all()) if (record.revokedAt === null) remember(record)

  function hashOn(connection: object, text: string): string {
    const latest = hashes.get(connection)
    if (latest?.text === text) return latest.hash
    const hash = tokenHash(text)
    hashes.set(connection, { text, hash })
    return hash
  }

  return {
    /**
     * The principal of a key's text, or null when it is unknown, expired or revoked.
     * @param connection what the key came over; its text is kept as long as that lives, and no decision is
     */
    find(text: string, connection?: object): Principal | null {
      const known = byHash.get(connection === undefined ? tokenHash(text) : hashOn(connection, text))
      if (known === undefined) return null
      return known.expiresAt !== null && known.expiresAt <= now() ? null : known.principal
    },

    /** `auth.token` of the configuration: a key with every scope that is never stored. */
    setSystemToken(text: string | undefined): void {
      const before = systemHash
      systemHash = text === undefined ? null : tokenHash(text)
      if (before !== null && before !== systemHash) {
        byHash.delete(before)
        end(SYSTEM.credentialId, 'revoked')
      }
      if (systemHash === null) return
      byHash.set(systemHash, { principal: SYSTEM, expiresAt: null })
    },

    /** Makes a key. @returns its record and its text, which is shown this once and cannot be had again */
    create(
      name: string,
      scopes: readonly Scope[],
      expiresAt: number | null,
      allowed: Allowance | null = null,
      namesUsers = false,
    ): { record: TokenRecord; token: string } {
      const token = GATE_KEY_PREFIX + randomBytes(32).toString('base64url')
      const record: TokenRecord = {
        id: randomUUID(),
        name,
        hash: tokenHash(token),
        scopes,
        allowed,
        namesUsers,
        createdAt: now(),
        expiresAt,
        revokedAt: null,
      }
      store.insert(record)
      remember(record)
      return { record, token }
    },

    /** Every key that was ever made, revoked ones included. */
    list: (): readonly TokenRecord[] => store.all(),

    /** @returns false when there is no such key, or it was revoked before */
    revoke(id: string): boolean {
      if (!store.revoke(id, now())) return false
      for (const [key, { principal }] of byHash) if (principal.keyId === id) byHash.delete(key)
      end(id, 'revoked')
      return true
    },

    /**
     * Ends the keys whose time is over: none is found after that anyway, but what is being answered to them goes on.
     */
    endExpired(): void {
      for (const [key, { principal, expiresAt }] of byHash) {
        if (expiresAt === null || expiresAt > now()) continue
        byHash.delete(key)
        end(principal.keyId, 'expired')
      }
    },

    /** Calls back with each key that stops to count while the daemon runs. */
    whenEnded(listener: (ended: Ended) => void): void {
      onEnded = listener
    },
  }
}

function tokenHash(text: string): string {
  return hash('sha256', text, 'base64url')
}
