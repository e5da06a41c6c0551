import { argon2Sync, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { GateError } from '../../../schemas/words/errors.ts'
import { witnessedSignature } from '../../../system/token-witness.ts'

/** The longest that an access token counts; a refresh token gets the next one. */
export const ACCESS_TOKEN_LIFE_S = 3_600

/**
 * What an access token says (RFC 9068). Times are Unix seconds.
 * `sid` is the sign-in that it belongs to: once that has ended, none of its tokens counts.
 */
export type AccessClaims = {
  readonly iss: string
  readonly aud: string
  readonly sub: string
  readonly sid: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly scope: string
  readonly client_id: string
}

/** The one header that there is: no token says by itself how it is to be checked (RFC 8725 section 3.1). */
const HEADER = Buffer.from('{"alg":"HS256","typ":"at+jwt"}').toString('base64url')
/** Ours are about 450 bytes. */
const LONGEST = 2_000
const MAC_LENGTH = 43

export type AccessTokens = ReturnType<typeof accessTokens>

/** Makes and checks access tokens: JWTs signed with HMAC and SHA-256. @param key at least 32 bytes */
export function accessTokens(key: Buffer, issuer: string) {
  const macOf = (text: string): string => createHmac('sha256', key).update(text).digest('base64url')

  /** @param lastPartOf what comes after the claims: of the text before it */
  function verified(token: string, nowS: number, lastPartOf: (text: string) => string): AccessClaims | null {
    if (!token.startsWith(`${HEADER}.`) || token.length > LONGEST) return null
    const end = token.length - MAC_LENGTH - 1
    if (token[end] !== '.') return null
    const mac = Buffer.from(token.slice(end + 1))
    const expected = Buffer.from(lastPartOf(token.slice(0, end)))
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return null
    const claims: AccessClaims = JSON.parse(Buffer.from(token.slice(HEADER.length + 1, end), 'base64url').toString())
    if (claims.iss !== issuer || claims.aud !== issuer) return null
    if (claims.exp <= nowS) throw endedToken('it has expired; refresh it')
    return claims
  }

  return {
    sign(claims: Omit<AccessClaims, 'iss' | 'aud'>): string {
      const { sub, sid, iat, exp, jti, scope, client_id } = claims
      const payload = JSON.stringify({ iss: issuer, aud: issuer, sub, sid, iat, exp, jti, scope, client_id })
      const text = `${HEADER}.${Buffer.from(payload).toString('base64url')}`
      return `${text}.${macOf(text)}`
    },

    /**
     * What a token says, once it is known to be ours and in force.
     * @param nowS Unix seconds
     * @returns null when it is none of ours
     * @throws GateError INVALID_KEY when it has expired: the client refreshes it
     */
    verify: (token: string, nowS: number): AccessClaims | null => verified(token, nowS, macOf),

    /** The same of a witness of a token. @see witnessOf */
    verifyWitness: (witness: string, nowS: number): AccessClaims | null =>
      verified(witness, nowS, (text) => witnessedSignature(macOf(text))),
  }
}

/** Why an access token does not count. A client that tried again would be told the same. */
export function endedToken(why: string): GateError {
  return new GateError('INVALID_KEY', `the access token is not valid: ${why}`, {
    headers: { 'x-should-retry': 'false' },
  })
}

/** The key of access tokens: another one than any other that is made of the same secret. */
export function tokenKey(secret: string | Buffer, purpose: 'access' | 'refresh'): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `gate ${purpose} token`, 32))
}

/** Of so many characters a secret is taken to be random. */
const RANDOM_LENGTH = 32
/** RFC 9106 section 4, the second choice: about a tenth of a second for each guess. */
const STRETCH = { parallelism: 4, tagLength: 32, memory: 65_536, passes: 3 } as const

/**
 * Of a secret that a person may have thought up: with a token, secrets can be tried without asking Gate, so that
 * each try must cost something. Takes a while; a long secret, or one that Gate has made, stays as it is.
 */
export function stretched(secret: string | Buffer): string | Buffer {
  if (typeof secret !== 'string' || secret.length >= RANDOM_LENGTH) return secret
  return argon2Sync('argon2id', { ...STRETCH, message: secret, nonce: 'gate auth.jwt.secret' })
}
