import { randomUUID } from 'node:crypto'
import { GateError } from '../../schemas/words/errors.ts'
import { type Role, SCOPES_OF_ROLE } from '../../schemas/words/roles.ts'

/** A person. Times are Unix milliseconds. */
export type UserRecord = {
  readonly id: string
  /** Unique, whatever its case. */
  readonly name: string
  readonly email: string | null
  readonly role: Role
  readonly disabledAt: number | null
  /** Of the password, in the form of PHC strings; null: there is none. */
  readonly passwordHash: string | null
  /** Who says who it is: `local`, `config`, `oidc`, `proxy`, `tailscale`. */
  readonly source: string
  /** What it is called there, for good, such as the issuer and subject of an identity provider; null: its name. */
  readonly subject: string | null
  readonly createdAt: number
  /** When it signed in last. */
  readonly signedInAt: number | null
}

/** What the users need from storage. */
export type UserStore = {
  readonly all: () => readonly UserRecord[]
  readonly insert: (user: UserRecord) => void
  /** Replaces the one of this id. */
  readonly update: (user: UserRecord) => void
  /** With its memberships and sessions. */
  readonly remove: (id: string) => void
}

/** What can be changed of a user. */
export type UserChange = Partial<Pick<UserRecord, 'name' | 'email' | 'role' | 'passwordHash'>> & {
  readonly disabled?: boolean
}

/** What is known of a person that is new. */
export type UserWish = Pick<UserRecord, 'name' | 'role'> &
  Partial<Pick<UserRecord, 'email' | 'passwordHash' | 'source' | 'subject'>>

/** What happened to a user, for what depends on it. */
export type UserEvent = {
  readonly id: string
  readonly kind: 'added' | 'changed' | 'removed'
  /** They may do less than before. */
  readonly isNarrowed: boolean
}

export type Users = ReturnType<typeof createUsers>

/** The user of an emergency, who does not count as an administrator that stays. */
export const EMERGENCY_SOURCE = 'break-glass'

/** The person of `auth.username` and `auth.password_hash`. */
export const CONFIGURED_PERSON = { source: 'config', subject: 'auth.password_hash' } as const

const MOST_USERS = 10_000
const LONGEST_NAME = 100

/**
 * The people in memory, in front of their store. @param now Unix milliseconds
 */
export function createUsers(store: UserStore, now: () => number) {
  const byId = new Map<string, UserRecord>()
  const byName = new Map<string, UserRecord>()
  const bySubject = new Map<string, string>()
  const listeners: ((event: UserEvent) => void)[] = []

  const keyOf = (name: string) => name.toLowerCase()
  const known = (source: string, subject: string) => byId.get(bySubject.get(subjectKey(source, subject)) ?? '')
  const remember = (user: UserRecord) => {
    const before = byId.get(user.id)
    if (before !== undefined) byName.delete(keyOf(before.name))
    byId.set(user.id, user)
    byName.set(keyOf(user.name), user)
    if (user.subject !== null) bySubject.set(subjectKey(user.source, user.subject), user.id)
  }
  for (const user of store.all()) remember(user)
  /** Each listener is told, whatever another one throws. */
  const tell = (event: UserEvent) => {
    const failed: unknown[] = []
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (error) {
        failed.push(error)
      }
    }
    if (failed.length > 0) throw failed[0]
  }

  function existing(id: string): UserRecord {
    const user = byId.get(id)
    if (user === undefined) throw new GateError('USER_NOT_FOUND', 'there is no such user; gatectl user list shows them')
    return user
  }

  function create(wish: UserWish): UserRecord {
    refuseTaken(wish.name)
    if (byId.size >= MOST_USERS)
      throw new GateError('TOO_MANY_ENTRIES', `there are ${MOST_USERS} users already; remove one first`)
    const user: UserRecord = {
      id: randomUUID(),
      email: null,
      passwordHash: null,
      source: 'local',
      subject: null,
      ...wish,
      disabledAt: null,
      createdAt: now(),
      signedInAt: null,
    }
    store.insert(user)
    remember(user)
    tell({ id: user.id, kind: 'added', isNarrowed: false })
    return user
  }

  function refuseTaken(name: string): void {
    if (byName.has(keyOf(name))) throw new GateError('NAME_TAKEN', `there is a user ${name} already`)
  }

  function freeName(wanted: string): string {
    const name = wanted.replace(/[\p{Cc}:/]/gu, '').slice(0, LONGEST_NAME - 6) || 'user'
    let free = name
    for (let n = 2; byName.has(keyOf(free)); n++) free = `${name}-${n}`
    return free
  }

  return {
    get: (id: string): UserRecord | undefined => byId.get(id),
    /** @param name in any case */
    named: (name: string): UserRecord | undefined => byName.get(keyOf(name)),
    /** Whom a source calls so; a name is never enough. */
    known,
    /** Whom an operator means. @param word an id, or a name in any case @throws GateError USER_NOT_FOUND */
    meant: (word: string): UserRecord => byId.get(word) ?? byName.get(keyOf(word)) ?? existing(word),
    /** @throws GateError USER_NOT_FOUND */
    existing,
    list: (): readonly UserRecord[] => [...byId.values()],
    /** Whether anyone may administer the gateway, but for one. */
    hasAdmin: (but?: string): boolean =>
      [...byId.values()].some(
        ({ id, role, disabledAt, source }) =>
          id !== but && role === 'admin' && disabledAt === null && source !== EMERGENCY_SOURCE,
      ),
    /** @throws GateError NAME_TAKEN, TOO_MANY_ENTRIES, STORE_UNAVAILABLE */
    create,
    /**
     * Whom a source calls so, who is made at the first sight of them; where their name is taken they get another one, for
     * a name proves nothing.
     * @throws GateError TOO_MANY_ENTRIES, STORE_UNAVAILABLE
     */
    seen(wish: UserWish & { readonly source: string; readonly subject: string }): UserRecord {
      return known(wish.source, wish.subject) ?? create({ ...wish, name: freeName(wish.name) })
    },
    /** @throws GateError USER_NOT_FOUND, NAME_TAKEN, STORE_UNAVAILABLE */
    change(id: string, { disabled, ...change }: UserChange): UserRecord {
      const before = existing(id)
      if (change.name !== undefined && keyOf(change.name) !== keyOf(before.name)) refuseTaken(change.name)
      const disabledAt = disabled === undefined ? before.disabledAt : disabled ? (before.disabledAt ?? now()) : null
      const user = { ...before, ...change, disabledAt }
      store.update(user)
      remember(user)
      tell({ id, kind: 'changed', isNarrowed: isLess(user.role, before.role) })
      return user
    },
    /** Notes that someone has signed in. */
    signedIn(id: string): void {
      const user = { ...existing(id), signedInAt: now() }
      store.update(user)
      remember(user)
    },
    /** @throws GateError USER_NOT_FOUND, STORE_UNAVAILABLE */
    remove(id: string): UserRecord {
      const user = existing(id)
      store.remove(id)
      byId.delete(id)
      byName.delete(keyOf(user.name))
      if (user.subject !== null) bySubject.delete(subjectKey(user.source, user.subject))
      tell({ id, kind: 'removed', isNarrowed: true })
      return user
    },
    /** Calls back after each change. */
    onEvent: (listener: (event: UserEvent) => void): void => void listeners.push(listener),
  }
}

const subjectKey = (source: string, subject: string): string => `${source}\n${subject}`

function isLess(role: Role, before: Role): boolean {
  return [...SCOPES_OF_ROLE[before]].some((scope) => !SCOPES_OF_ROLE[role].has(scope))
}
