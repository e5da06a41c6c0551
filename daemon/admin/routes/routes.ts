import type { ConfigHandle } from '../../../config/handle.ts'
import {
  type AdminAnswers,
  type AdminRouteName,
  configSetRequest,
  configValidateRequest,
  type DaemonStatus,
  type TokenInfo,
  tokenRequest,
} from '../../../schemas/admin.ts'
import { type RouteExplanation, type RouteRequest, routeRequest } from '../../../schemas/admin-route.ts'
import type { ConfigChange, Explanation } from '../../../schemas/config/layers.ts'
import { durationMs } from '../../../schemas/config/values.ts'
import type { Allowance } from '../../../schemas/words/allowance.ts'
import { PROMOTE_FORMATS } from '../../../schemas/words/promote-formats.ts'
import type { Scope } from '../../../schemas/words/scopes.ts'
import { AdminError, parseRequest } from '../error.ts'
import { type AdminBackends, backendDetail, backendList, runBackendJob } from './backends.ts'
import { type AdminCertificates, renewCertificate } from './tls.ts'
import { type UsageParts, usage } from './usage.ts'

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
/** Whose request it would be. */
type Asker = { readonly keyId: string; readonly allowed: Allowance | null }
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

export type AdminParts = UsageParts & {
  readonly config: ConfigHandle
  readonly status: () => DaemonStatus
  readonly tokens: AdminTokens
  readonly backends: AdminBackends
  readonly certificates: AdminCertificates
  /** Where a request would go. @throws GateError what it would be answered */
  readonly explainRoute: (question: RouteRequest, asker: Asker) => RouteExplanation
  /** What SIGHUP does: reads everything again. */
  readonly reload: () => Promise<ConfigChange>
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

/**
 * What answers each route of schemas/admin.ts. Logs are streams and therefore elsewhere: admin.ts,
 * admin-backend-logs.ts.
 */
export const ROUTES: Routes = {
  'GET /v1/status': ({ status }) => status(),
  'POST /v1/reload': ({ reload }) => reload(),
  'GET /v1/tokens': ({ tokens }) => ({ tokens: tokens.list().map(tokenInfoOf) }),
  'POST /v1/tokens': createToken,
  'DELETE /v1/tokens/:': revokeToken,
  'GET /v1/config': ({ config }) => ({ keys: config.list().map(withValue) }),
  'GET /v1/config/diff': configDiff,
  'GET /v1/config/promote': promote,
  'POST /v1/config/validate': validate,
  'GET /v1/config/keys/:': ({ config }, { parameter }) => withValue(config.explain(parameter)),
  'PUT /v1/config/keys/:': setKey,
  'DELETE /v1/config/keys/:': ({ config }, { parameter }) => config.unset(parameter),
  'GET /v1/usage': usage,
  'POST /v1/route': explainRoute,
  'GET /v1/backends': ({ backends }, { signal }) => backendList(backends, signal),
  'GET /v1/backends/:': ({ backends }, { parameter, signal }) => backendDetail(backends, parameter, signal),
  'POST /v1/backends/start/:': ({ backends }, { parameter, signal }) =>
    runBackendJob(backends, 'start', parameter, signal),
  'POST /v1/backends/stop/:': ({ backends }, { parameter, signal }) =>
    runBackendJob(backends, 'stop', parameter, signal),
  'POST /v1/backends/restart/:': ({ backends }, { parameter, signal }) =>
    runBackendJob(backends, 'restart', parameter, signal),
  'GET /v1/tls': ({ certificates }) => certificates.status(),
  'POST /v1/tls/renew/:': ({ certificates }, { parameter, signal }) =>
    renewCertificate(certificates, parameter, signal),
}

/** The key of the configuration. */
const SYSTEM = { keyId: 'system', allowed: null }

function explainRoute({ tokens, explainRoute: explain }: AdminParts, { body }: AdminRequest): RouteExplanation {
  const question = parseRequest(routeRequest, body)
  const { key } = question
  if (key === undefined) return explain(question, SYSTEM)
  const found = tokens.list().find(({ id, revokedAt }) => id === key && revokedAt === null)
  if (found === undefined) throw tokenNotFound(key)
  return explain(question, { keyId: found.id, allowed: found.allowed })
}

function createToken({ tokens, now }: AdminParts, { body }: AdminRequest): AdminAnswers['POST /v1/tokens'] {
  const { name, scopes, expires_in, names_users: namesUsers = false, ...limits } = parseRequest(tokenRequest, body)
  const expiresAt = expires_in === undefined ? null : now() + lifeMs(expires_in)
  const { record, token } = tokens.create(name, [...new Set(scopes)], expiresAt, allowanceOf(limits), namesUsers)
  return { ...tokenInfoOf(record), token }
}

function allowanceOf({ models, categories, pinned }: Partial<Allowance>): Allowance | null {
  if (pinned === undefined) {
    const isLimited = models !== undefined || categories !== undefined
    return isLimited ? { models: models ?? [], categories: categories ?? [] } : null
  }
  if (models === undefined && categories === undefined) return { models: [pinned], categories: [], pinned }
  throw new AdminError('BAD_REQUEST', 'pinned: a key that has one model for everything may use no others', {
    hint: 'leave models and categories out',
  })
}

/** Longest life of a key that expires: 100 years, well inside what a date can hold. */
const LONGEST_LIFE_MS = 100 * 365 * 86_400_000

function lifeMs(text: string): number {
  let ms: number
  try {
    ms = durationMs(text)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new AdminError('BAD_REQUEST', `expires_in: ${cause.message}`, { cause, hint: 'write "12h" or "30d"' })
  }
  if (ms > 0 && ms <= LONGEST_LIFE_MS) return ms
  throw new AdminError('BAD_REQUEST', `expires_in: ${text} is not between 1ms and 36500d`)
}

function revokeToken({ tokens }: AdminParts, { parameter }: AdminRequest): AdminAnswers['DELETE /v1/tokens/:'] {
  if (tokens.revoke(parameter)) return { id: parameter, revoked: true }
  throw tokenNotFound(parameter)
}

function tokenNotFound(id: string): AdminError {
  return new AdminError('TOKEN_NOT_FOUND', `there is no token ${id} that is not revoked yet`, {
    hint: 'gatectl token list shows the ids',
  })
}

function configDiff({ config }: AdminParts): AdminAnswers['GET /v1/config/diff'] {
  const differences = config.diff().map((d) => ({ ...d, below: d.below ?? null, runtime: d.runtime ?? null }))
  return { differences }
}

function promote({ config }: AdminParts, { query }: AdminRequest): AdminAnswers['GET /v1/config/promote'] {
  const asked = query.get('format') ?? 'spec'
  const format = PROMOTE_FORMATS.find((known) => known === asked)
  if (format === undefined) throw new AdminError('BAD_REQUEST', `format: ${asked} is neither nix nor spec`)
  return { format, text: config.promote(format) }
}

function validate({ config }: AdminParts, { body }: AdminRequest): AdminAnswers['POST /v1/config/validate'] {
  const { text } = parseRequest(configValidateRequest, body ?? {})
  const problems = [...(text === undefined ? config.problems() : config.validate(text))]
  return { valid: problems.length === 0, problems }
}

function setKey({ config }: AdminParts, { parameter, body }: AdminRequest): Promise<ConfigChange> {
  const request = parseRequest(configSetRequest, body)
  const value = 'text' in request ? config.readText(parameter, request.text) : request.value
  return config.set(parameter, value, { force: request.force })
}

/** JSON has no `undefined`: a key that no layer sets has the value null. */
function withValue(explanation: Explanation): Explanation {
  return { ...explanation, value: explanation.value ?? null }
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
