import type { Ended } from '../../schemas/words/ended.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Proof } from '../../schemas/words/proofs.ts'
import type { KeyWish, TokenRecord, TokenStore } from './key-record.ts'
import { refuseBeyond, refuseWider, requireWholePerson } from './key-rights.ts'
import { personPrincipal } from './person-principal.ts'
import type { AddressRanges, Principal } from './principal.ts'
import { createSessions, type SessionStore } from './sessions.ts'
import { createTeams, type TeamStore } from './teams.ts'
import { createTokens } from './tokens.ts'
import { createUsers, type UserStore } from './users.ts'

/** What people, teams, keys and sessions need from storage. */
export type AccessStore = {
  readonly tokens: TokenStore
  readonly users: UserStore
  readonly teams: TeamStore
  readonly sessions: SessionStore
}

export type AccessParts = {
  /** Unix milliseconds. */
  readonly now: () => number
  /** Milliseconds of a monotonic clock. */
  readonly steady: () => number
  readonly rangesOf: (entries: readonly string[]) => AddressRanges
  readonly log: Log
}

export type Access = ReturnType<typeof createAccess>

const DEFAULT_LIFE_MS = 24 * 3_600_000

const SESSIONS_STAY = 'sessions that are over could not be removed'

/** People known without a session, such as those that a proxy names; more are worked out anew. */
const MOST_KEPT = 10_000

/** People, teams, keys and sessions, and what a change of one does to the others. */
export function createAccess(store: AccessStore, { now, steady, rangesOf, log }: AccessParts) {
  let sessionLifeMs = DEFAULT_LIFE_MS
  const users = createUsers(store.users, now)
  const teams = createTeams(store.teams, now)
  const people = { user: users.get, teamsOf: teams.of }
  const tokens = createTokens(store.tokens, now, { ...people, rangesOf })
  const sessions = createSessions(store.sessions, { ...people, now, steady, lifeMs: () => sessionLifeMs })
  const kept = new Map<string, Principal | null>()
  const listeners: ((ended: Ended) => void)[] = []
  const tell = (ended: Ended) => {
    for (const listener of listeners)
      attempt('what was answered to a credential that ended could not be cut off', () => listener(ended))
  }
  tokens.whenEnded(tell)
  sessions.whenEnded(tell)

  users.onEvent(({ id, kind, isNarrowed }) => {
    // what is in memory comes first: none of it waits for a store that may fail
    forget(id)
    if (kind === 'removed') teams.forget(id)
    tokens.settle(id)
    if (kind === 'removed') {
      sessions.drop(id, 'removed')
      tell({ kind: 'user', id, why: 'removed' })
      for (const key of tokens.of(id))
        attempt('a key of a user who was removed could not be revoked', () => void tokens.revoke(key.id))
    } else if (users.get(id)?.disabledAt != null) {
      sessions.drop(id, 'disabled')
      tell({ kind: 'user', id, why: 'disabled' })
      attempt(SESSIONS_STAY, sessions.removeStale)
    } else {
      sessions.settle(id)
      if (isNarrowed) tell({ kind: 'user', id, why: 'narrowed' })
    }
  })
  teams.onChange((userIds) => {
    for (const id of userIds) {
      forget(id)
      sessions.settle(id)
      tokens.settle(id)
    }
  })

  return {
    users,
    teams,
    tokens,
    sessions,
    /**
     * A person whom something else than a key or a session has proved; null: there is none, or they were disabled. The
     * same object each time, until something about the person changes.
     * @param credentialId what a revocation ends, such as the id of a grant
     */
    personOf(userId: string, via: Proof, credentialId: string): Principal | null {
      const key = `${userId} ${via} ${credentialId}`
      const known = kept.get(key)
      if (known !== undefined) return known
      const user = users.get(userId)
      const principal = user === undefined ? null : personPrincipal(user, teams.of(userId), via, credentialId)
      if (kept.size >= MOST_KEPT) kept.clear()
      kept.set(key, principal)
      return principal
    },
    /** Refuses a key that may do more than who makes it, or whose it is. @throws GateError BEYOND_MAKER */
    refuseBeyond: (wish: KeyWish, maker: Principal): void =>
      refuseBeyond(wish, maker, wish.ownerId === null ? null : (users.get(wish.ownerId) ?? null)),
    /** Refuses the text of a key that may do more than the one who asks for it. @throws GateError BEYOND_MAKER */
    refuseWider(key: TokenRecord, principal: Principal): void {
      const rights = tokens.rightsOf(key.id)
      refuseWider(typeof rights === 'object' ? rights : key, principal) // all of it, where it counts for nothing now
    },
    /** Refuses what may change no other keys and sessions of its person. @throws GateError MISSING_SCOPE */
    requireWholePerson: (principal: Principal): void =>
      requireWholePerson(principal, users.get(principal.userId ?? '') ?? null),
    /** How long a session lives that begins from now on. */
    setSessionLife(ms: number): void {
      sessionLifeMs = ms
    },
    /** Ends what has run out. To be called about once a second. */
    endExpired(): void {
      tokens.endExpired()
      attempt(SESSIONS_STAY, sessions.endExpired)
    },
    /** Writes when the sessions were seen. To be called about once a minute. */
    noteSeen: (): void => attempt('when sessions were seen could not be written', sessions.noteSeen),
    /** Calls back with each credential, and each person, that stops to count, or may do less than before. */
    whenEnded: (listener: (ended: Ended) => void): void => void listeners.push(listener),
  }

  function forget(userId: string): void {
    for (const key of kept.keys()) if (key.startsWith(`${userId} `)) kept.delete(key)
  }

  function attempt(lost: string, write: () => void): void {
    try {
      write()
    } catch (error) {
      log('warn', lost, { error: error instanceof Error ? error.message : String(error) })
    }
  }
}
