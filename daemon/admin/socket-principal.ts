import type { IncomingHttpHeaders } from 'node:http'
import { GateError } from '../../schemas/words/errors.ts'
import { SCOPES } from '../../schemas/words/scopes.ts'
import { WITNESS_SCHEME } from '../../system/token-witness.ts'
import type { Principal } from '../auth/principal.ts'

/** Root, and the members of the group of the admin socket, whose permissions let them in. */
export const SOCKET_PRINCIPAL: Principal = {
  keyId: 'system',
  name: 'admin socket',
  scopes: new Set(SCOPES),
  allowed: null,
  namesUsers: false,
  userId: null,
  teams: [],
  via: 'socket',
  credentialId: 'socket',
  addresses: null,
  budgets: [],
  limits: [],
  node: null,
}

/** Whose a credential is; null: it counts for nothing. Each throws GateError for one that does not count any more. */
export type Naming = {
  /** A key, or a token of a session or device. */
  readonly bySecret: (secret: string) => Principal | null
  readonly byWitness: (witness: string) => Principal | null
}

/**
 * Who calls over the admin socket. Its permissions decide what they may do; a key, token or witness that they send with
 * it says who they are, for the audit.
 * @throws GateError INVALID_KEY, SESSION_EXPIRED
 */
export function socketPrincipal({ authorization }: IncomingHttpHeaders, naming: Naming): Principal {
  if (authorization === undefined) return SOCKET_PRINCIPAL
  const named = namedIn(authorization, naming)
  if (named === null)
    throw new GateError('INVALID_KEY', 'the key or token is unknown, expired or revoked; the socket needs none')
  return { ...SOCKET_PRINCIPAL, keyId: named.userId ?? named.keyId, name: named.name }
}

function namedIn(authorization: string, { bySecret, byWitness }: Naming): Principal | null {
  const [scheme = '', text = ''] = authorization.split(' ')
  if (scheme === WITNESS_SCHEME) return byWitness(text)
  return scheme.toLowerCase() === 'bearer' ? bySecret(text) : null
}
