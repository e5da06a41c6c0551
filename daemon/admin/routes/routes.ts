import { type AdminAnswers, type AdminRouteName, type TokenInfo, tokenRequest } from '../../../schemas/admin.ts'
import type { Allowance } from '../../../schemas/words/allowance.ts'
import type { Scope } from '../../../schemas/words/scopes.ts'
import { lifeMs } from '../duration.ts'
import { AdminError, parseRequest } from '../error.ts'
import { allowanceOf } from '../key-wish.ts'

/** What the admin API needs from the keys; times are Unix milliseconds. */
type AdminTokens = {
  create(
    name: string,
    scopes: readonly Scope[],
    expiresAt: number | null,
    allowed: Allowance | null,
    namesUsers: boolean,
  ): { record: AdminToken; token: string }
  list(): readonly AdminToken[]
  /** @returns false when there is no such key, or it was revoked before */
  revoke(id: string): boolean
}
export type AdminToken = {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly allowed: Allowance | null
  readonly namesUsers: boolean
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

export type AdminParts = {
  readonly tokens: AdminTokens
  /** Unix milliseconds. */
  readonly now: () => number
}

type AdminRequest = {
  /** The last path segment where the route ends in `/:`. */
  readonly parameter: string
  readonly query: URLSearchParams
  readonly body: unknown
  /** Aborts when the caller leaves or the daemon stops. */
  readonly signal: AbortSignal
}

type Routes = {
  readonly [K in AdminRouteName]: (
    parts: AdminParts,
    request: AdminRequest,
  ) => AdminAnswers[K] | Promise<AdminAnswers[K]>
}

/** What is served under its older name alone. */
export const ROUTES: Routes = {
  'GET /v1/tokens': ({ tokens }) => ({ tokens: tokens.list().map(tokenInfoOf) }),
  'POST /v1/tokens': createToken,
  'DELETE /v1/tokens/:': revokeToken,
}

function createToken({ tokens, now }: AdminParts, { body }: AdminRequest): AdminAnswers['POST /v1/tokens'] {
  const { name, scopes, expires_in, names_users: namesUsers = false, ...limits } = parseRequest(tokenRequest, body)
  const expiresAt = expires_in === undefined ? null : now() + lifeMs('expires_in', expires_in)
  const { record, token } = tokens.create(name, [...new Set(scopes)], expiresAt, allowanceOf(limits), namesUsers)
  return { ...tokenInfoOf(record), token }
}

function revokeToken({ tokens }: AdminParts, { parameter }: AdminRequest): AdminAnswers['DELETE /v1/tokens/:'] {
  if (tokens.revoke(parameter)) return { id: parameter, revoked: true }
  throw tokenNotFound(parameter)
}

function tokenNotFound(id: string): AdminError {
  return new AdminError('TOKEN_NOT_FOUND', `unknown token ${id}`, {
    hint: 'gatectl token list shows the ids',
  })
}

function tokenInfoOf(token: AdminToken): TokenInfo {
  const { id, name, scopes, allowed, namesUsers, createdAt, expiresAt, revokedAt } = token
  return {
    id,
    name,
    scopes: [...scopes],
    ...(allowed !== null && { models: [...allowed.models], categories: [...allowed.categories] }),
    ...(allowed?.pinned !== undefined && { pinned: allowed.pinned }),
    ...(namesUsers && { names_users: true }),
    created_at: new Date(createdAt).toISOString(),
    ...(expiresAt === null ? {} : { expires_at: new Date(expiresAt).toISOString() }),
    ...(revokedAt === null ? {} : { revoked_at: new Date(revokedAt).toISOString() }),
  }
}
