import { hash, randomBytes, randomUUID } from 'node:crypto'
import type { Ended } from '../../schemas/words/ended.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { SESSION_PREFIX } from '../../schemas/words/gate-key.ts'
import type { Proof } from '../../schemas/words/proofs.ts'
import { personPrincipal } from './person-principal.ts'
import type { Principal } from './principal.ts'
import { EMERGENCY_SOURCE, type UserRecord } from './users.ts'

/** Someone who is signed in: never the token, only the SHA-256 of it. Times are Unix milliseconds. */
export type SessionRecord = {
  readonly id: string
  readonly hash: string
  readonly userId: string
  /** What was shown at the sign-in: `password`, `oidc`, `passkey`, `break-glass`, … */
  readonly via: string
  /** The identity provider; null: none. */
  readonly idp: string | null
  readonly address: string
  /** What the browser calls itself. */
  readonly agent: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly seenAt: number
}

/** What the sessions need from storage. */
export type SessionStore = {
  readonly all: () => readonly SessionRecord[]
  readonly insert: (session: SessionRecord) => void
  readonly remove: (ids: readonly string[]) => void
  /** Gives a session another token, and more time. */
  readonly renew: (id: string, hash: string, expiresAt: number) => void
  readonly seen: (sessions: readonly { readonly id: string; readonly seenAt: number }[]) => void
}

/** A sign-in that succeeded. */
export type SignIn = Pick<SessionRecord, 'userId' | 'via' | 'idp' | 'address' | 'agent'>

/** Who is signed in where. */
type Entry = {
  record: SessionRecord
  /** Milliseconds of the monotonic clock. */
  deadlineMs: number
  seenAt: number
  isNoted: boolean
  principal: Principal | null
}

export type SessionParts = {
  readonly user: (id: string) => UserRecord | undefined
  readonly teamsOf: (userId: string) => readonly string[]
  /** Unix milliseconds. */
  readonly now: () => number
  /** Milliseconds of a monotonic clock: a wrong date ends no session. */
  readonly steady: () => number
  /** How long a session lives. */
  readonly lifeMs: () => number
}

export type Sessions = ReturnType<typeof createSessions>

const MOST_OF_A_USER = 50
const MOST_SESSIONS = 50_000
const LONGEST_AGENT = 200
/** What was seen is written that much later, and that much at a time. */
const SEEN_STEP_MS = 300_000
const MOST_SEEN_AT_ONCE = 200

/** The sessions in memory, in front of their store: a look-up reads no database. */
export function createSessions(store: SessionStore, parts: SessionParts) {
  const { user, teamsOf, now, steady, lifeMs } = parts
  const byHash = new Map<string, Entry>()
  const byId = new Map<string, Entry>()
  /** Ended while nothing ran; still in the store. */
  const stale: string[] = []
  let onEnded: (ended: Ended) => void = () => {}

  function remember(record: SessionRecord, leftMs: number): Entry {
    const deadlineMs = steady() + leftMs
    const entry: Entry = { record, deadlineMs, seenAt: record.seenAt, isNoted: true, principal: null }
    byHash.set(record.hash, entry)
    byId.set(record.id, entry)
    settle(entry)
    return entry
  }

  /** Works out again what the person may do. @returns whether that is less than before */
  function settle(entry: Entry): boolean {
    const before = entry.principal
    const next = principalOf(entry.record, user, teamsOf)
    const isSame =
      before !== null &&
      next !== null &&
      before.scopes === next.scopes &&
      before.name === next.name &&
      before.teams.join() === next.teams.join()
    if (!isSame) entry.principal = next
    return before !== null && (next === null || [...before.scopes].some((scope) => !next.scopes.has(scope)))
  }

  function forget(entries: readonly Entry[], why: Ended['why']): void {
    if (entries.length === 0) return
    store.remove(entries.map(({ record }) => record.id))
    drop(entries, why)
  }

  function removeStale(): void {
    if (stale.length === 0) return
    store.remove(stale)
    stale.splice(0)
  }

  function drop(entries: readonly Entry[], why: Ended['why']): void {
    for (const { record } of entries) {
      byHash.delete(record.hash)
      byId.delete(record.id)
    }
    for (const { record } of entries) onEnded({ kind: 'credential', id: record.id, why })
  }

  const ofUser = (userId: string) => [...byId.values()].filter(({ record }) => record.userId === userId)
  const isOver = (entry: Entry) => entry.deadlineMs <= steady()

  for (const record of store.all()) {
    const leftMs = Math.min(record.expiresAt - now(), lifeMs())
    if (leftMs > 0) remember(record, leftMs)
    else stale.push(record.id)
  }

  return {
    /** Who has a session's token; null: no session has it (any more). */
    find(text: string): Principal | null {
      if (!text.startsWith(SESSION_PREFIX)) return null
      const entry = byHash.get(sessionHash(text))
      if (entry === undefined) return null // those that are over are taken out within a second
      entry.seenAt = now()
      entry.isNoted = false
      return entry.principal
    },

    /**
     * Signs someone in. @returns the session and its token, which is shown this once
     * @throws GateError SIGN_IN_REFUSED for one who was disabled, TOO_MANY_ENTRIES, STORE_UNAVAILABLE
     */
    create({ userId, via, idp, address, agent }: SignIn): { session: SessionRecord; token: string } {
      const person = user(userId)
      if (person === undefined || person.disabledAt !== null)
        throw new GateError('SIGN_IN_REFUSED', 'the name or the password is wrong')
      const oldest = ofUser(userId).toSorted((a, b) => a.seenAt - b.seenAt)
      forget(oldest.slice(0, Math.max(0, oldest.length + 1 - MOST_OF_A_USER)), 'signed-out')
      if (byId.size >= MOST_SESSIONS) throw new GateError('TOO_MANY_ENTRIES', 'too many people are signed in')
      const token = newText()
      const at = now()
      const session: SessionRecord = {
        id: randomUUID(),
        hash: sessionHash(token),
        userId,
        via: person.source === EMERGENCY_SOURCE ? 'break-glass' : via, // whatever page took its password
        idp,
        address,
        agent: agent.slice(0, LONGEST_AGENT),
        createdAt: at,
        expiresAt: at + lifeMs(),
        seenAt: at,
      }
      store.insert(session)
      remember(session, lifeMs())
      return { session, token }
    },

    /** Gives a session another token and its full time again; the one before counts no more. */
    renew(id: string): { session: SessionRecord; token: string } | undefined {
      const entry = byId.get(id)
      if (entry === undefined || isOver(entry)) return undefined
      const token = newText()
      const session = { ...entry.record, hash: sessionHash(token), expiresAt: now() + lifeMs() }
      store.renew(id, session.hash, session.expiresAt)
      byHash.delete(entry.record.hash)
      entry.record = session
      entry.deadlineMs = steady() + lifeMs()
      byHash.set(session.hash, entry)
      return { session, token }
    },

    /** @returns undefined when it is over */
    get: (id: string): SessionRecord | undefined => byId.get(id)?.record,

    /** The sessions of a person, the one that was seen last first. */
    of: (userId: string): readonly SessionRecord[] =>
      ofUser(userId)
        .filter((entry) => !isOver(entry))
        .map(({ record, seenAt }) => ({ ...record, seenAt }))
        .toSorted((a, b) => b.seenAt - a.seenAt),

    /** @returns false when there is no such session. @throws GateError STORE_UNAVAILABLE */
    end(id: string): boolean {
      const entry = byId.get(id)
      if (entry === undefined) return false
      forget([entry], 'signed-out')
      return true
    },

    /** Signs someone out everywhere. @param but the session that stays. @returns how many there were */
    endAll(userId: string, why: Ended['why'] = 'signed-out', but?: string): number {
      const entries = ofUser(userId).filter(({ record }) => record.id !== but)
      forget(entries, why)
      return entries.length
    },

    /** Ends those that are meant, in memory first. @returns how many @throws GateError STORE_UNAVAILABLE, afterwards */
    endEach(isMeant: (session: SessionRecord) => boolean, why: Ended['why']): number {
      const entries = [...byId.values()].filter(({ record }) => isMeant(record))
      stale.push(...entries.map(({ record }) => record.id))
      drop(entries, why)
      removeStale()
      return entries.length
    },

    /** A person was removed, with the sessions in the store, or disabled: `removeStale` takes theirs out of it. */
    drop(userId: string, why: 'removed' | 'disabled'): void {
      const entries = ofUser(userId)
      if (why === 'disabled') stale.push(...entries.map(({ record }) => record.id))
      drop(entries, why)
    },

    /** Removes from the store what has ended. @throws GateError STORE_UNAVAILABLE; it is tried again by `endExpired` */
    removeStale,

    /** What a person may do has changed. */
    settle(userId: string): void {
      for (const entry of ofUser(userId))
        if (settle(entry)) onEnded({ kind: 'credential', id: entry.record.id, why: 'narrowed' })
    },

    /** Ends the sessions whose time is over. @throws GateError STORE_UNAVAILABLE */
    endExpired(): void {
      const over = [...byId.values()].filter(isOver)
      drop(over, 'expired') // whatever the store says
      stale.push(...over.map(({ record }) => record.id))
      removeStale()
    },

    /** Writes when the sessions were seen last, where that has changed much. @throws GateError STORE_UNAVAILABLE */
    noteSeen(): void {
      const due = [...byId.values()]
        .filter(({ isNoted, seenAt, record }) => !isNoted && Math.abs(seenAt - record.seenAt) >= SEEN_STEP_MS)
        .slice(0, MOST_SEEN_AT_ONCE)
      if (due.length === 0) return
      store.seen(due.map(({ record, seenAt }) => ({ id: record.id, seenAt })))
      for (const entry of due) {
        entry.record = { ...entry.record, seenAt: entry.seenAt }
        entry.isNoted = true
      }
    },

    count: (): number => byId.size,

    /** Calls back with each session that ends. */
    whenEnded(listener: (ended: Ended) => void): void {
      onEnded = listener
    },
  }
}

function principalOf(
  { id, userId, via }: SessionRecord,
  user: SessionParts['user'],
  teamsOf: SessionParts['teamsOf'],
): Principal | null {
  const person = user(userId)
  return person === undefined ? null : personPrincipal(person, teamsOf(userId), SIGNED_IN_BY[via] ?? 'session', id)
}

/** How a session came about, where a principal says more than that it is one. */
const SIGNED_IN_BY: Readonly<Record<string, Proof>> = { passkey: 'passkey', 'break-glass': 'break-glass' }

function newText(): string {
  return SESSION_PREFIX + randomBytes(32).toString('base64url')
}

function sessionHash(text: string): string {
  return hash('sha256', text, 'base64url')
}
