import type { IncomingHttpHeaders } from 'node:http'
import { GateError } from '../../schemas/words/errors.ts'
import { cookiesIn } from '../../syntax/cookie/cookie.ts'

/** What a request carries to show who sends it, wherever it was put. */
export type Credential =
  /** A key, an access token or a session's token. */
  | { readonly kind: 'secret'; readonly text: string }
  /** A session's token, which browsers add by themselves. */
  | { readonly kind: 'cookie'; readonly text: string }
  /** HTTP Basic (RFC 7617). */
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'none' }

/** Headers a key may come in, as lower-case names. `authorization` must be `Bearer KEY`. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key'] as const

/** Cookies of a session. Browsers take the first one over HTTPS only, and only from this very host (RFC 6265bis). */
export const SECURE_COOKIE = '__Host-se_session'
export const PLAIN_COOKIE = 'se_session'

const NONE: Credential = { kind: 'none' }

/**
 * The one place that finds a request's credential, whatever header (or `?key=`, or cookie) the client puts it in.
 * Two different ones in one request are refused: which one counts must never be a guess.
 * @param url the request target, such as `/v1/models?key=…`
 * @param isSecured whether it came over HTTPS
 * @throws GateError INVALID_KEY
 */
export function credentialOf(headers: IncomingHttpHeaders, url: string, isSecured: () => boolean): Credential {
  let found: string | null = null
  let basic: Credential | null = null
  const { authorization, cookie } = headers
  if (typeof authorization === 'string') {
    found = bearerIn(authorization)
    if (found === null) basic = basicIn(authorization)
  }
  for (const name of KEY_HEADERS) {
    const value = headers[name]
    if (value !== undefined) found = agree(found, String(value))
  }
  const query = url.indexOf('?')
  if (query !== -1) {
    for (const value of new URLSearchParams(url.slice(query)).getAll('key')) found = agree(found, value)
  }
  const session = cookie === undefined ? null : sessionIn(cookie, isSecured)
  if (basic !== null) {
    if (found !== null || session !== null) throw twoKeys()
    return basic
  }
  if (found !== null && found !== '') {
    if (session !== null) agree(found, session)
    return { kind: 'secret', text: found }
  }
  return session === null ? NONE : { kind: 'cookie', text: session }
}

const bearerIn = (authorization: string): string | null => /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null

/** What is neither a key nor this is refused as a key: nearly every client has one. */
function basicIn(authorization: string): Credential {
  const match = /^basic +([\w+/-]+={0,2}) *$/i.exec(authorization)
  if (match?.[1] === undefined) throw new GateError('INVALID_KEY', 'the Authorization header must be "Bearer KEY"')
  const text = Buffer.from(match[1], 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon === -1) throw new GateError('INVALID_KEY', 'the Authorization header is not valid Basic authentication')
  return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** The token in a Cookie header; null: it has none. @throws GateError INVALID_KEY */
function sessionIn(cookie: string, isSecured: () => boolean): string | null {
  if (!cookie.includes(PLAIN_COOKIE)) return null
  // anyone on the way, and pages of other ports, can set the plain one: over HTTPS it counts for nothing
  const takesPlain = !isSecured()
  const plain = new Set<string>()
  let secure: string | null = null
  for (const [name, value] of cookiesIn(cookie)) {
    if (name === PLAIN_COOKIE && takesPlain) plain.add(value)
    else if (name === SECURE_COOKIE) secure = agree(secure, value)
  }
  if (secure !== null) return secure // whatever others have set beside it
  const [only = null, ...others] = plain
  if (others.length > 0) throw twoKeys()
  return only
}

function agree(found: string | null, value: string): string {
  if (found !== null && found !== value) throw twoKeys()
  return value
}

function twoKeys(): GateError {
  return new GateError('INVALID_KEY', 'the request carries two different keys')
}
