import { PLAIN_COOKIE, SECURE_COOKIE } from './credential.ts'

/**
 * `Set-Cookie` of a session. Lax: a page of an identity provider leads back here, and takes it along.
 * @param secured whether the browser came over HTTPS @param lifeS whole seconds
 * @see https://www.rfc-editor.org/rfc/rfc6265
 */
export function sessionCookie(secured: boolean, token: string, lifeS: number): string {
  const name = secured ? SECURE_COOKIE : PLAIN_COOKIE
  return `${name}=${token}; Path=/; Max-Age=${lifeS}; HttpOnly; SameSite=Lax${secured ? '; Secure' : ''}`
}

/** `Set-Cookie` that takes both kinds away. */
export function noSessionCookies(secured: boolean): readonly string[] {
  const plain = `${PLAIN_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`
  return secured ? [`${SECURE_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure`, plain] : [plain]
}
