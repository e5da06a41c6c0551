import { hash } from 'node:crypto'
import type { Log } from '../../schemas/words/log.ts'
import type { SignIns } from './device/sign-ins.ts'
import type { Passkeys } from './passkey/passkeys.ts'
import type { Sessions } from './sessions.ts'
import { CONFIGURED_PERSON, type Users } from './users.ts'

/** A text that is kept over restarts; null: there is none yet. */
export type Note = {
  /** @throws GateError STORE_UNAVAILABLE */
  readonly read: () => string | null
  /** @throws GateError STORE_UNAVAILABLE */
  readonly write: (text: string) => void
}

/** The ways to sign in that the configuration takes. */
export type Ways = {
  /** Words of `auth.mode`. */
  readonly modes: readonly string[]
  /** `auth.password_hash`. */
  readonly passwordHash: string | undefined
}

export type WithdrawnParts = {
  readonly users: Pick<Users, 'known'>
  readonly sessions: Pick<Sessions, 'endEach'>
  readonly signIns: Pick<SignIns, 'endAll' | 'endAllOf'>
  readonly passkeys: Pick<Passkeys, 'removeAllOf'>
  /** Which password the configured person had when this was looked at last. */
  readonly note: Note
  readonly log: Log
}

/**
 * Ends what was signed in in a way that the configuration takes no more: sessions by a word that is not in `auth.mode`,
 * devices, and everything of the configured person once `auth.password_hash` is another one, also while nothing ran. To be
 * called at the start and after each change. What the store refuses is logged; it has ended all the same.
 */
export function endWithdrawn(parts: WithdrawnParts, { modes, passwordHash }: Ways): void {
  const { sessions, signIns, log } = parts
  const attempt = (what: () => void) => {
    try {
      what()
    } catch (error) {
      log('warn', 'what was signed in before could not be ended for good', { error: String(error) })
    }
  }
  const isTaken = (via: string) => (via in MODE_OF ? MODE_OF[via]?.some((mode) => modes.includes(mode)) : true)
  attempt(() =>
    told(
      log,
      'sessions',
      sessions.endEach(({ via }) => isTaken(via) === false, 'signed-out'),
    ),
  )
  if (!modes.includes('device')) attempt(() => told(log, 'devices', signIns.endAll('signed-out')))
  attempt(() => endFormerPassword(parts, passwordHash))
}

/** Words of `auth.mode` with which passkeys count: with keys alone they do not. */
export const PASSKEY_MODES: readonly string[] = ['password', 'oidc', 'device']

/** Which words of `auth.mode` a session needs, by how it was made. */
const MODE_OF: Readonly<Record<string, readonly string[]>> = {
  password: ['password'],
  oidc: ['oidc'],
  passkey: PASSKEY_MODES,
}

function told(log: Log, what: 'sessions' | 'devices', count: number): void {
  if (count > 0) log('info', `${what} were signed out, as auth.mode does not take them any more`, { count })
}

/** Those who knew the former password are out as well, with what they have added. */
function endFormerPassword({ users, sessions, signIns, passkeys, note }: WithdrawnParts, hashText = ''): void {
  const digest = hash('sha256', hashText, 'base64url')
  const before = note.read()
  if (before === digest) return
  const person = users.known(CONFIGURED_PERSON.source, CONFIGURED_PERSON.subject)
  if (before !== null && person !== undefined) {
    sessions.endEach(({ userId }) => userId === person.id, 'signed-out') // first: the others need a store that writes
    signIns.endAllOf(person.id, 'signed-out')
    passkeys.removeAllOf(person.id)
  }
  note.write(digest)
}
