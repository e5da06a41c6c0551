import { keyList, madeKey, ownKeyRequest, revokedKey, rotatedKey, rotateRequest } from '../../../schemas/api/keys.ts'
import { sessionList, signedOut } from '../../../schemas/api/users.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import type { TokenRecord } from '../../auth/key-record.ts'
import type { Principal } from '../../auth/principal.ts'
import { overlapMs } from '../duration.ts'
import { AdminError } from '../error.ts'
import { keyInfoOf, timeText } from '../key-info.ts'
import { wishOf } from '../key-wish.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { existing, makeKey, revokeKey, rotateKey } from './keys.ts'
import type { UserParts } from './users.ts'

export type OwnParts = Pick<UserParts, 'access'> & { readonly now: () => number }

/** What people see and change of their own: keys and sessions. Those of another person are as absent. */
export function ownRoutes(parts: OwnParts): readonly ApiRoute[] {
  const { access, now } = parts
  const { tokens, sessions } = access
  const ownKey = (principal: Principal, id: string) => {
    const key = tokens.get(id)
    return existing(key?.ownerId === personOf(principal) ? key : undefined, id)
  }
  return [
    apiRoute({
      method: 'GET',
      path: '/api/user/tokens',
      scope: 'person',
      summary: 'Lists the own keys, without their text',
      answer: keyList,
      handle: ({ principal }) => {
        const person = personOf(principal)
        const own = tokens.list().filter(({ ownerId }) => ownerId === person)
        return json({ keys: own.map((key) => keyInfoOf(access, key, now())) })
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/api/user/tokens',
      scope: 'person',
      summary: 'Makes a key of your own and shows it, this one time only',
      body: ownKeyRequest,
      answer: madeKey,
      status: 201,
      audit: 'key.create',
      handle: ({ body, principal }) => {
        access.requireWholePerson(principal)
        refuseTooMany(tokens.list(), personOf(principal), now())
        return makeKey(parts, { ...wishOf(body, principal, access, now()), ownerId: personOf(principal) }, principal)
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/user/tokens/{id}',
      scope: 'signed-in',
      summary: 'Revokes an own key at once',
      answer: revokedKey,
      audit: 'key.revoke',
      handle: ({ params: { id = '' }, principal }) => {
        const key = ownKey(principal, id)
        if (principal.keyId !== id) access.requireWholePerson(principal) // a key may give itself up
        return revokeKey(access, key)
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/api/user/tokens/{id}/rotate',
      scope: 'signed-in',
      summary: 'Gives an own key another text; the one before counts as well for a while',
      body: rotateRequest.default({}),
      answer: rotatedKey,
      audit: 'key.rotate',
      handle: ({ params: { id = '' }, body, principal }) => {
        const key = ownKey(principal, id)
        if (principal.keyId === id) refuseShortOverlap(body.overlap)
        else {
          access.requireWholePerson(principal) // a key may give itself another text, and no other one
          access.refuseWider(key, principal)
        }
        return rotateKey(access, key, body.overlap)
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/user/sessions',
      scope: 'person',
      summary: 'Lists where you are signed in',
      answer: sessionList,
      handle: ({ principal }) =>
        json({
          sessions: sessions.of(personOf(principal)).map((session) => ({
            id: session.id,
            current: session.id === principal.credentialId,
            via: session.via,
            address: session.address,
            agent: session.agent,
            created_at: timeText(session.createdAt),
            seen_at: timeText(session.seenAt),
            expires_at: timeText(session.expiresAt),
          })),
        }),
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/user/sessions/{id}',
      scope: 'person',
      summary: 'Ends one of your sessions',
      answer: signedOut,
      audit: 'session.end',
      handle: ({ params: { id = '' }, principal }) => {
        const person = personOf(principal)
        if (sessions.get(id)?.userId !== person) throw new GateError('SESSION_NOT_FOUND', 'there is no such session')
        access.requireWholePerson(principal)
        sessions.end(id)
        return json({ sessions: 1 }, { change: { object: `session:${id}` } })
      },
    }),
  ]
}

/** @throws GateError MISSING_SCOPE for a key of no person */
function personOf({ userId, name }: Principal): string {
  if (userId !== null) return userId
  throw new GateError('MISSING_SCOPE', `"${name}" belongs to no user; sign in`)
}

/** A key that gives itself another text may be a stolen one: its owner has the time to see that, and to revoke it. */
const LEAST_OWN_OVERLAP_MS = 3_600_000

/** @throws AdminError BAD_REQUEST */
function refuseShortOverlap(overlap: string | undefined): void {
  if (overlap === undefined || overlapMs(overlap) >= LEAST_OWN_OVERLAP_MS) return
  throw new AdminError('BAD_REQUEST', 'overlap: a key that rotates itself keeps its former text for 1h at least', {
    hint: 'sign in to end it at once',
  })
}

/** Keys of one person that count, and that were made in a day, also if they were revoked again. */
const MOST_KEYS = 100
const MOST_KEYS_A_DAY = 200
const DAY_MS = 86_400_000

/** @param now Unix milliseconds @throws GateError TOO_MANY_ENTRIES */
function refuseTooMany(keys: readonly TokenRecord[], person: string, now: number): void {
  const own = keys.filter(({ ownerId }) => ownerId === person)
  if (own.filter(({ revokedAt }) => revokedAt === null).length >= MOST_KEYS)
    throw new GateError('TOO_MANY_ENTRIES', `you have ${MOST_KEYS} keys already; revoke one first`)
  if (own.filter(({ createdAt }) => createdAt > now - DAY_MS).length >= MOST_KEYS_A_DAY)
    throw new GateError('TOO_MANY_ENTRIES', `you made ${MOST_KEYS_A_DAY} keys today; try again tomorrow`)
}
