import { z } from 'zod'
import {
  madePasskey,
  passkeyList,
  passkeyOptions,
  passkeyRequest,
  passkeySignedIn,
  passkeySignIn,
} from '../../../schemas/api/passkeys.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import type { Passkey, Passkeys } from '../../auth/passkey/passkeys.ts'
import type { Principal } from '../../auth/principal.ts'
import { beginSession } from '../begin-session.ts'
import { timeText } from '../key-info.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import type { AuthParts } from './auth.ts'
import type { SignInPageParts } from './sign-in-pages.ts'

export type PasskeyParts = Pick<AuthParts, 'access' | 'cookies'> &
  Pick<SignInPageParts, 'refuseForeignForm'> & { readonly passkeys: Passkeys }

/** Signing in by a passkey, and a person's own passkeys. */
export function passkeyRoutes(parts: PasskeyParts): readonly ApiRoute[] {
  const { access, passkeys, refuseForeignForm } = parts
  return [
    apiRoute({
      method: 'POST',
      path: '/auth/passkey/options',
      scope: 'public',
      summary: 'Gives a browser what it needs to sign in by a passkey',
      only: 'https',
      body: z.strictObject({}).default({}),
      answer: passkeyOptions,
      handle: async () => json({ options: { ...(await passkeys.beginSignIn()) } }),
    }),
    apiRoute({
      method: 'POST',
      path: '/auth/passkey',
      scope: 'public',
      summary: 'Signs a person in by a passkey; the session is in a cookie',
      only: 'https',
      body: passkeySignIn,
      answer: passkeySignedIn,
      audit: 'login',
      handle: async ({ body: { credential }, caller, headers }) => {
        refuseForeignForm(headers)
        const userId = await passkeys.signIn(credential)
        const begun = beginSession(parts, { userId, via: 'passkey' }, { caller, headers })
        const { session, headers: cookie, change } = begun
        return json({ expires_at: timeText(session.expiresAt) }, { headers: cookie, change })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/user/passkeys',
      scope: 'signed-in',
      summary: 'Lists your passkeys',
      answer: passkeyList,
      handle: ({ principal: { userId } }) => json({ passkeys: userId === null ? [] : passkeys.of(userId).map(infoOf) }),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/user/passkeys/options',
      scope: 'signed-in',
      summary: 'Gives a browser what it needs to make a passkey',
      only: 'https',
      body: z.strictObject({}).default({}),
      answer: passkeyOptions,
      handle: async ({ principal }) => {
        const id = personIn(principal)
        return json({ options: { ...(await passkeys.beginAdding({ id, name: access.users.existing(id).name })) } })
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/api/user/passkeys',
      scope: 'signed-in',
      summary: 'Adds a passkey that a browser has made',
      only: 'https',
      body: passkeyRequest,
      answer: madePasskey,
      status: 201,
      audit: 'passkey.add',
      handle: async ({ principal, body: { name, credential } }) => {
        const made = await passkeys.add(personIn(principal), name, credential)
        return json(infoOf(made), { change: { object: `passkey:${made.id}`, new: { name } } })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/user/passkeys/{id}',
      scope: 'signed-in',
      summary: 'Removes one of your passkeys',
      answer: z.strictObject({}),
      audit: 'passkey.remove',
      handle: ({ principal, params: { id = '' } }) => {
        if (!passkeys.remove(personIn(principal), id))
          throw new GateError('OBJECT_NOT_FOUND', 'you have no passkey of this id')
        return json({}, { change: { object: `passkey:${id}` } })
      },
    }),
  ]
}

/** A key must not make what outlives it. @throws GateError SIGN_IN_REFUSED */
function personIn({ userId, via }: Principal): string {
  if (userId !== null && (via === 'session' || via === 'passkey')) return userId
  throw new GateError('SIGN_IN_REFUSED', 'passkeys are managed by a person who is signed in with a browser')
}

function infoOf({ id, name, createdAt, usedAt }: Passkey): z.input<typeof madePasskey> {
  const used = usedAt === null ? null : new Date(usedAt).toISOString()
  return { id, name, created_at: new Date(createdAt).toISOString(), used_at: used }
}
