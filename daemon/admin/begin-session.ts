import type { IncomingHttpHeaders } from 'node:http'
import type { Access } from '../auth/access.ts'
import type { SessionRecord, SignIn } from '../auth/sessions.ts'
import type { Caller } from './route.ts'

/** A session and its token, which is shown this once. */
export type BegunSession = { readonly session: SessionRecord; readonly token: string }

export type SessionParts = {
  readonly access: Pick<Access, 'sessions' | 'users'>
  /** `Set-Cookie` of a session, and what takes it away. @param secured whether the browser came over HTTPS */
  readonly cookies: {
    readonly set: (secured: boolean, begun: BegunSession) => string
    readonly remove: (secured: boolean) => readonly string[]
  }
}

/** Where a sign-in came from. */
type From = { readonly caller: Pick<Caller, 'address' | 'secured'>; readonly headers: IncomingHttpHeaders }

/**
 * Signs a person in who has shown who they are: a session, its cookie, and what the audit is told.
 * @throws GateError SIGN_IN_REFUSED for one who was disabled, TOO_MANY_ENTRIES, STORE_UNAVAILABLE
 */
export function beginSession(
  { access, cookies }: SessionParts,
  { userId, via, idp = null }: Pick<SignIn, 'userId' | 'via'> & { readonly idp?: string | null },
  { caller, headers }: From,
) {
  const agent = headers['user-agent'] ?? ''
  const begun: BegunSession = access.sessions.create({ userId, via, idp, address: caller.address ?? '', agent })
  access.users.signedIn(userId)
  return { ...begun, ...shownSession({ access, cookies }, begun, caller.secured) }
}

/** The cookie of a session, and what the audit is told of it. */
export function shownSession({ access, cookies }: SessionParts, begun: BegunSession, secured: boolean) {
  const { id, userId } = begun.session
  return {
    headers: { 'set-cookie': cookies.set(secured, begun) },
    change: { object: `session:${id}`, new: { user: access.users.existing(userId).name } },
  }
}
