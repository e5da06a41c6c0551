import { randomUUID } from 'node:crypto'
import { ACCESS_TOKEN_LIFE_S, accessTokens, stretched, tokenKey } from './access-token.ts'
import { refreshTexts } from './refresh-text.ts'
import type { SignIn } from './sign-in.ts'

/** Checked tokens that are remembered; one that is not is checked again. */
const MOST_REMEMBERED = 4_096

/** What tokens are signed with, and who says so. */
export type Signing = { readonly secret: string | Buffer; readonly issuer: string }

/** RFC 6749 section 5.1; `email` is what Claude Code shows. */
export type TokenAnswer = {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly refresh_token: string
  readonly scope: string
  readonly email?: string
}

/** The tokens of sign-ins: made, and read; which of them count is for the sign-ins to say. @param now Unix milliseconds */
export function createSignInTokens(initial: Signing, now: () => number) {
  const remembered = new Map<string, { readonly id: string; readonly expiresS: number }>()
  let signing = initial
  let { access, refreshing } = signersOf(initial)

  return {
    /** @param scope what it may do; email: of its person, where one is known */
    answerFor(signIn: SignIn, scope: string, email: string | null): TokenAnswer {
      const nowS = Math.floor(now() / 1_000)
      return {
        access_token: access.sign({
          sub: signIn.userId,
          sid: signIn.id,
          iat: nowS,
          exp: nowS + ACCESS_TOKEN_LIFE_S,
          jti: randomUUID(),
          scope,
          client_id: signIn.clientId ?? '',
        }),
        token_type: 'Bearer',
        expires_in: ACCESS_TOKEN_LIFE_S,
        refresh_token: refreshing.make(signIn),
        scope,
        ...(email !== null && { email }),
      }
    },

    /** The sign-in and the generation that a refresh token is of; null when it is none of ours. */
    readRefresh: (token: string) => refreshing.read(token),

    /** The sign-in that an access token is of; null when it is none of ours. @throws GateError INVALID_KEY when it has ended */
    signInOf(token: string): string | null {
      const nowS = now() / 1_000
      let known = remembered.get(token)
      if (known === undefined || known.expiresS <= nowS) {
        remembered.delete(token)
        const claims = access.verify(token, nowS)
        if (claims === null) return null
        known = { id: claims.sid, expiresS: claims.exp }
        remembered.set(token, known)
        const [first] = remembered.keys()
        if (remembered.size > MOST_REMEMBERED && first !== undefined) remembered.delete(first)
      }
      return known.id
    },

    /** The sign-in that a witness of an access token is of; null when it is none of ours. @throws GateError INVALID_KEY when it has ended */
    signInWitnessed: (witness: string): string | null => access.verifyWitness(witness, now() / 1_000)?.sid ?? null,

    /** The sign-in that an access or refresh token is of, whether it has ended or not; null when it is none of ours. */
    signInNamed(token: string): string | null {
      try {
        return refreshing.read(token)?.id ?? access.verify(token, 0)?.sid ?? null
      } catch {
        return null
      }
    },

    /** Takes over another secret or issuer: what was signed before does not count any more. */
    apply(next: Signing): void {
      if (next.secret === signing.secret && next.issuer === signing.issuer) return
      signing = next
      ;({ access, refreshing } = signersOf(next))
      remembered.clear()
    },
  }
}

function signersOf({ secret: written, issuer }: Signing) {
  const secret = stretched(written)
  return {
    access: accessTokens(tokenKey(secret, 'access'), issuer),
    refreshing: refreshTexts(tokenKey(secret, 'refresh')),
  }
}
