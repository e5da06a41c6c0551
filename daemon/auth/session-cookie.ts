import { PLAIN_COOKIE, SECURE_COOKIE } from './credential.ts'

type Begun = { readonly session: { readonly expiresAt: number }; readonly token: string }

/** `Set-Cookie` of sessions. @param now Unix milliseconds */
export function sessionCookies(now: () => number) {
  return {
    /** The browser forgets it with the session. @param secured whether it came over HTTPS */
    set: (secured: boolean, { session, token }: Begun): string =>
      sessionCookie(secured, token, Math.max(1, Math.ceil((session.expiresAt - now()) / 1_000))),
    /** What takes both kinds away. */
    remove: noSessionCookies,
  }
}

/**
 * `Set-Cookie` of a session. Lax: a page of an identity provider leads back here, and takes it along.
 * @param secured whether the browser came over HTTPS @param lifeS whole seconds
 * @see https://www.rfc-editor.org/rfc/rfc6265
 */
function sessionCookie(secured: boolean, token: string, lifeS: number): string {
  const name = secured ? SECURE_COOKIE : PLAIN_COOKIE
  return `${name}=${token}; Path=/; Max-Age=${lifeS}; HttpOnly; SameSite=Lax${secured ? '; Secure' : ''}`
}

/** `Set-Cookie` that takes both kinds away. */
function noSessionCookies(secured: boolean): readonly string[] {
  const plain = `${PLAIN_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`
  return secured ? [`${SECURE_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure`, plain] : [plain]
}
