import { randomBytes } from 'node:crypto'
import type { ConfigHandle } from '../../../config/handle.ts'
import { loggedOut, loginRequest, logoutRequest, me, rotateTokenRequest, signedIn } from '../../../schemas/api/auth.ts'
import { rotatedKey } from '../../../schemas/api/keys.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import { GATE_KEY_PREFIX } from '../../../schemas/words/gate-key.ts'
import type { TokenRecord } from '../../auth/key-record.ts'
import type { Principal } from '../../auth/principal.ts'
import type { SessionRecord } from '../../auth/sessions.ts'
import { type BegunSession, beginSession, type SessionParts, shownSession } from '../begin-session.ts'
import { overlapMs } from '../duration.ts'
import { AdminError } from '../error.ts'
import { timeText } from '../key-info.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { keyCreation, rotateKey } from './keys.ts'
import { type SignedInDevices, signOutEverywhere, type UserParts } from './users.ts'

export type AuthParts = Pick<UserParts, 'access'> &
  Pick<SessionParts, 'cookies'> & {
    /**
     * Whose name and password these are; null: they are wrong. @param username absent: the one of the configuration
     * @throws GateError TOO_MANY_REQUESTS, or SIGN_IN_REFUSED where passwords are not accepted
     */
    readonly verifyPassword: (username: string | undefined, password: string, address: string) => Promise<string | null>
    readonly config: Pick<ConfigHandle, 'current' | 'explain' | 'set'>
    /** Signs the person out where they have proved who they are; a URL for the browser, or null. */
    readonly leaveProvider: (session: SessionRecord) => string | null
    /** Unix milliseconds. */
    readonly now: () => number
  }

const DEFAULT_OVERLAP = '24h'

/** Signing in and out, and what people do with their credentials. */
export function authRoutes(parts: AuthParts, devices: SignedInDevices): readonly ApiRoute[] {
  const { access, verifyPassword, cookies, leaveProvider } = parts
  const { users, teams, sessions } = access

  function welcome(begun: BegunSession, { headers, change }: ReturnType<typeof shownSession>) {
    const { session, token } = begun
    const shown = { token, expires_at: timeText(session.expiresAt), user: personOf(session.userId) }
    return json(shown, { headers, change })
  }

  function personOf(id: string) {
    const { name, email, role } = users.existing(id)
    return { id, name, ...(email !== null && { email }), role }
  }

  return [
    apiRoute({
      method: 'POST',
      path: '/auth/login',
      scope: 'public',
      summary: 'Signs a person in by password; answers with the token of a session, which is in a cookie as well',
      only: 'https',
      body: loginRequest,
      answer: signedIn,
      audit: 'login',
      handle: async ({ body: { username, password }, caller, headers }) => {
        const userId = await verifyPassword(username, password, caller.address ?? '')
        if (userId === null) throw new GateError('SIGN_IN_REFUSED', 'the name or the password is wrong')
        const begun = beginSession(parts, { userId, via: 'password' }, { caller, headers })
        return welcome(begun, begun)
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/auth/logout',
      scope: 'signed-in',
      summary: 'Ends the session that asks, or all of the person and the devices that they let in',
      only: 'https',
      body: logoutRequest.default({}),
      answer: loggedOut,
      audit: 'logout',
      handle: ({ body: { everywhere = false }, principal, caller: { secured } }) => {
        const session = sessionOf(principal)
        const url = leaveProvider(session)
        if (everywhere) signOutEverywhere(access, devices, session.userId)
        else sessions.end(session.id)
        return json(
          { sessions: sessions.of(session.userId).length, ...(url !== null && { url }) },
          { headers: { 'set-cookie': cookies.remove(secured) }, change: { object: `session:${session.id}` } },
        )
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/auth/refresh',
      scope: 'signed-in',
      summary: 'Gives a session another token and its full time again; the token before counts no more',
      only: 'https',
      answer: signedIn,
      audit: 'session.renew',
      handle: ({ principal, caller }) => {
        const renewed = sessions.renew(sessionOf(principal).id)
        if (renewed === undefined) throw new GateError('SESSION_EXPIRED', 'the session is over; sign in again')
        return welcome(renewed, shownSession(parts, renewed, caller.secured))
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/auth/me',
      scope: 'signed-in',
      summary: 'Says who asks, and what they may do',
      answer: me,
      handle: ({ principal }) => {
        const { name, via, scopes, userId, teams: teamIds, keyId, credentialId } = principal
        const session = sessions.get(credentialId)
        return json({
          name,
          via,
          scopes: [...scopes],
          ...(userId !== null && { user: personOf(userId) }),
          teams: teamIds.map((id) => ({ id, name: teams.get(id)?.name ?? '' })),
          ...(via === 'key' && { key: { id: keyId, name } }),
          ...(session !== undefined && { session: { id: session.id, expires_at: timeText(session.expiresAt) } }),
        })
      },
    }),
    keyCreation('/auth/create-token', parts),
    apiRoute({
      method: 'POST',
      path: '/auth/rotate-token',
      scope: 'admin',
      summary: 'Gives a key, or the system token, another text; the one before counts as well for a while',
      body: rotateTokenRequest.default({}),
      answer: rotatedKey,
      audit: 'key.rotate',
      handle: ({ body: { key, overlap } }) =>
        key === undefined ? rotateSystemToken(parts, overlap) : rotateKey(access, meantKey(parts, key), overlap),
    }),
  ]

  /** @throws AdminError BAD_REQUEST for what is not a session */
  function sessionOf({ credentialId, via }: Principal): SessionRecord {
    const session = sessions.get(credentialId)
    if (session !== undefined) return session
    throw new AdminError('BAD_REQUEST', `this takes a session, and the request came with another credential (${via})`, {
      hint: 'keys are revoked, not signed out: DELETE /api/user/tokens/ID',
    })
  }
}

/** @param word an id, or the name of one key @throws AdminError TOKEN_NOT_FOUND, BAD_REQUEST */
function meantKey({ access: { tokens } }: AuthParts, word: string): TokenRecord {
  const exact = tokens.get(word)
  if (exact !== undefined) return exact
  const named = tokens.list().filter(({ name, revokedAt }) => name === word && revokedAt === null)
  const [only, ...others] = named
  if (only === undefined) throw new AdminError('TOKEN_NOT_FOUND', `unknown token ${word}`)
  if (others.length === 0) return only
  throw new AdminError('BAD_REQUEST', `key: ${named.length} keys have this name`, { hint: 'give the id of one' })
}

/** @throws GateError DECLARED, AdminError BAD_REQUEST, ConfigError */
async function rotateSystemToken({ access: { tokens }, config, now }: AuthParts, overlap = DEFAULT_OVERLAP) {
  if (config.current().auth.token === undefined)
    throw new AdminError('BAD_REQUEST', 'there is no system token (auth.token); name a key', {
      hint: 'gatectl token list shows the keys',
    })
  if (config.explain('auth.token').winner !== 'runtime')
    throw new GateError('DECLARED', 'auth.token is declared outside the runtime configuration; change it there')
  const until = now() + overlapMs(overlap)
  const token = GATE_KEY_PREFIX + randomBytes(32).toString('base64url')
  const takeBack = tokens.keepSystemToken(until, token)
  try {
    await config.set('auth.token', token, { force: false })
  } catch (error) {
    takeBack()
    throw error
  }
  const shown = { id: 'system', name: 'auth.token', previous_valid_until: timeText(until) }
  return json({ ...shown, token }, { change: { object: 'key:system', new: shown } })
}
