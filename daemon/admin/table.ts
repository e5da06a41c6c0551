import { AdminError } from './error.ts'
import { type PathPattern, pathPattern } from './path-pattern.ts'
import type { ApiRoute } from './route.ts'
import { type AuditParts, auditRoutes } from './routes/audit.ts'
import { type AuthParts, authRoutes } from './routes/auth.ts'
import { backendLogRoutes } from './routes/backend-logs.ts'
import { type BackendParts, backendRoutes } from './routes/backends.ts'
import { type BudgetParts, budgetRoutes } from './routes/budgets.ts'
import { type CategoryParts, categoryRoutes } from './routes/categories.ts'
import { type ClientGatewayParts, clientGatewayRoutes } from './routes/client-gateway.ts'
import { type ConfigParts, configRoutes } from './routes/config.ts'
import { type DeviceParts, deviceRoutes } from './routes/device.ts'
import { type EventParts, eventRoutes } from './routes/events.ts'
import { type IdpParts, idpRoutes } from './routes/idps.ts'
import { type KeyParts, keyRoutes } from './routes/keys.ts'
import { type LogParts, logRoutes } from './routes/logs.ts'
import { type ModelParts, modelRoutes } from './routes/models.ts'
import { type OidcParts, oidcRoutes } from './routes/oidc.ts'
import { type OpenApiParts, openApiRoutes } from './routes/openapi.ts'
import { type OwnParts, ownRoutes } from './routes/own.ts'
import { type PasskeyParts, passkeyRoutes } from './routes/passkeys.ts'
import { type PeersStatusParts, peerRoutes } from './routes/peers.ts'
import { type RelayStatusParts, relayRoutes } from './routes/relay.ts'
import { type SecretsParts, secretsRoutes } from './routes/secrets.ts'
import { type SignInPageParts, signInPageRoutes } from './routes/sign-in-pages.ts'
import { type SystemParts, systemRoutes } from './routes/system.ts'
import { teamRoutes } from './routes/teams.ts'
import { type TextParts, textRoutes } from './routes/texts.ts'
import { type AdminCertificates, tlsRoutes } from './routes/tls.ts'
import { type UpstreamParts, upstreamRoutes } from './routes/upstreams.ts'
import { type UsageParts, usageRoutes } from './routes/usage.ts'
import { type SignedInDevices, type UserParts, userRoutes } from './routes/users.ts'

/** What the routes of all areas need. */
export type ApiParts = SystemParts &
  UsageParts &
  AuditParts &
  TextParts &
  ConfigParts &
  LogParts &
  BackendParts &
  ModelParts &
  CategoryParts &
  BudgetParts &
  EventParts &
  OpenApiParts &
  UpstreamParts &
  KeyParts &
  UserParts &
  OwnParts &
  AuthParts &
  SecretsParts &
  RelayStatusParts &
  PeersStatusParts &
  Pick<SignInPageParts, 'takesPasswords' | 'signedIn' | 'refuseForeignForm'> & {
    readonly certificates: AdminCertificates
    readonly signIn: IdpParts &
      OidcParts &
      DeviceParts & { readonly signIns: SignedInDevices } & Pick<SignInPageParts, 'deviceWithCode'> &
      Pick<PasskeyParts, 'passkeys'>
    readonly clientGateway: ClientGatewayParts
  }

/** Every route of the API: `/api/admin/*`, `/api/user/*` and `/auth/*`. One line for each area. */
export function apiRoutes(parts: ApiParts): readonly ApiRoute[] {
  const { signIn } = parts
  return [
    ...systemRoutes(parts),
    ...configRoutes(parts),
    ...logRoutes(parts),
    ...upstreamRoutes(parts),
    ...backendRoutes(parts),
    ...backendLogRoutes(parts),
    ...modelRoutes(parts),
    ...categoryRoutes(parts),
    ...budgetRoutes(parts),
    ...eventRoutes(parts),
    ...openApiRoutes(parts),
    ...tlsRoutes(parts),
    ...relayRoutes(parts),
    ...peerRoutes(parts),
    ...secretsRoutes(parts),
    ...idpRoutes(signIn),
    ...oidcRoutes(signIn),
    ...deviceRoutes(signIn, parts.access.requireWholePerson),
    ...signInPageRoutes({ ...parts, ...signIn }),
    ...passkeyRoutes({ ...parts, ...signIn }),
    ...authRoutes(parts, signIn.signIns),
    ...ownRoutes(parts),
    ...keyRoutes(parts),
    ...userRoutes(parts, signIn.signIns, signIn.passkeys),
    ...teamRoutes(parts),
    ...clientGatewayRoutes(parts.clientGateway),
    ...usageRoutes(parts),
    ...auditRoutes(parts),
    ...textRoutes(parts),
  ]
}

export type ApiTable = ReturnType<typeof createApiTable>

/** Finds the route of a request on the admin socket; over HTTPS they are rows of the gateway's own table. */
export function createApiTable(routes: readonly ApiRoute[]) {
  const byPath = Map.groupBy(routes, ({ path }) => path)
  const entries: (readonly [PathPattern, readonly ApiRoute[]])[] = Array.from(byPath, ([path, rows]) => [
    pathPattern(path),
    rows,
  ])
  // a path without a name in it comes before one that would also fit
  entries.sort(([, [a]], [, [b]]) => namesIn(a) - namesIn(b))

  return {
    routes,
    /** @throws AdminError UNKNOWN_ROUTE, METHOD_NOT_ALLOWED */
    find(method: string, path: string): ApiRoute {
      const fitting = entries.filter(([pattern]) => pattern.fits(path)).flatMap(([, rows]) => rows)
      const found = fitting.find((route) => route.method === method)
      if (found !== undefined) return found
      if (fitting.length > 0) {
        const methods = fitting.map((route) => route.method).join(', ')
        throw new AdminError('METHOD_NOT_ALLOWED', `${method} is not possible on ${path}; it takes ${methods}`)
      }
      throw new AdminError('UNKNOWN_ROUTE', `unknown route: ${path}`, {
        hint: 'gatectl and gate-daemon may be of different versions: compare gatectl --version with gatectl status',
      })
    },
  }
}

const namesIn = (route: ApiRoute | undefined): number => route?.path.split('{').length ?? 0
