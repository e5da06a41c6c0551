import type { IncomingHttpHeaders } from 'node:http'
import { GateError } from '../../schemas/words/errors.ts'
import { type Credential, credentialOf } from './credential.ts'
import { refuseForeignPage, type TrustedOrigins } from './origin.ts'
import { ANYBODY, type Principal } from './principal.ts'

/** What of a request says who sends it. */
export type Asked = {
  readonly method?: string | undefined
  readonly headers: IncomingHttpHeaders
  /** What it came over; keys that were seen on it are looked up faster. */
  readonly socket: object
}

/** What a request came over. */
export type Over = {
  /** null: the proxy of this host. */
  readonly peer: string | null
  /** null: it is not encrypted up to Gate. */
  readonly secured: { readonly isFor: (host: string) => boolean } | null
  /** Id of the gateway that has shown its key; absent: the client is none. */
  readonly peerNode?: string
}

/** What says who sends a request. Each finds nothing (null) where it is not configured. */
export type Proofs = {
  /** A key. */
  readonly key: (text: string, connection: object) => Principal | null
  /** A session's token, in a cookie or as a Bearer token. */
  readonly session: (text: string) => Principal | null
  /** A short access token. @throws GateError when it is one that does not count any more */
  readonly accessToken: (text: string) => Principal | null
  /** Name and password in every request. @throws GateError when they are wrong, or were wrong too often */
  readonly basic: (username: string, password: string, address: string) => Principal | Promise<Principal> | null
  /** What stands in for a credential: headers of a proxy that is trusted, the network that it comes from. */
  readonly ambient: (asked: Asked, peer: string | null, address: string) => Principal | Promise<Principal | null> | null
}

/** Nothing but keys. */
export const NO_OTHER_PROOFS: Omit<Proofs, 'key'> = {
  session: () => null,
  accessToken: () => null,
  basic: () => null,
  ambient: () => null,
}

export type AuthSettings = {
  /** `auth.mode` is none. */
  readonly isOpen: boolean
  readonly origins: TrustedOrigins
  /** The client's address. @param peer of the connection; null: the proxy of this host */
  readonly addressOf: (headers: IncomingHttpHeaders, peer: string | null) => string
  /** Whether a browser's session counts under the host that is asked for. @param header Host */
  readonly isOwnHost: (header: string | undefined, over: Over) => boolean
  /** Whether the client speaks TLS: with Gate, or with a trusted proxy that says so. */
  readonly isSecured: (headers: IncomingHttpHeaders, over: Over) => boolean
}

/**
 * Finds out who sends a request: at once where a key or session does, which are in memory.
 * @param url the request target with its query
 * @throws GateError MISSING_KEY, INVALID_KEY, SESSION_EXPIRED, CSRF_REFUSED, MISDIRECTED, FORBIDDEN_ADDRESS; also as a rejection
 */
export function authenticate(
  asked: Asked,
  url: string,
  over: Over,
  proofs: Proofs,
  settings: AuthSettings,
): Principal | Promise<Principal> {
  if (settings.isOpen) return ANYBODY
  const { peer } = over
  const credential = credentialOf(asked.headers, url, () => settings.isSecured(asked.headers, over))
  const found = foundBy(credential, asked, peer, proofs, settings)
  if (found instanceof Promise) return found.then((principal) => admitted(principal, credential, asked, over, settings))
  return admitted(found, credential, asked, over, settings)
}

function foundBy(
  credential: Credential,
  asked: Asked,
  peer: string | null,
  proofs: Proofs,
  { addressOf }: AuthSettings,
): Principal | Promise<Principal | null> | null {
  switch (credential.kind) {
    case 'secret':
      return (
        proofs.key(credential.text, asked.socket) ??
        proofs.session(credential.text) ??
        proofs.accessToken(credential.text)
      )
    case 'cookie':
      return proofs.session(credential.text)
    case 'basic': {
      const { username, password } = credential
      return proofs.basic(username, password, addressOf(asked.headers, peer))
    }
    case 'none':
      return proofs.ambient(asked, peer, addressOf(asked.headers, peer))
  }
}

function admitted(
  principal: Principal | null,
  { kind }: Credential,
  asked: Asked,
  over: Over,
  { origins, addressOf, isOwnHost }: AuthSettings,
): Principal {
  if (principal === null) throw refusalOf(kind)
  if (kind === 'cookie' && !isOwnHost(asked.headers.host, over))
    throw new GateError(
      'MISDIRECTED',
      'under this host name no session counts; set server.external_url or server.allowed_hosts',
    )
  if (kind !== 'secret') refuseForeignPage(asked, origins, kind === 'cookie')
  if (principal.addresses !== null && !principal.addresses.has(addressOf(asked.headers, over.peer)))
    throw new GateError('FORBIDDEN_ADDRESS', 'this key may not be used from this address')
  if (principal.node !== null && principal.node !== over.peerNode)
    throw new GateError('FORBIDDEN_ADDRESS', 'this key may be used only by the gateway that it was made for')
  return principal
}

function refusalOf(kind: Credential['kind']): GateError {
  switch (kind) {
    case 'secret':
      return new GateError('INVALID_KEY', 'the key is unknown, expired or revoked; `gatectl token create` makes one')
    case 'cookie':
      return new GateError('SESSION_EXPIRED', 'the session is over; sign in again')
    case 'basic':
      return new GateError('INVALID_KEY', 'name and password are not accepted here; send "Authorization: Bearer KEY"')
    case 'none':
      return new GateError('MISSING_KEY', 'no key: send "Authorization: Bearer KEY"; `gatectl token create` makes one')
  }
}
