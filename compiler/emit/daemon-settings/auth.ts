import type { SpecPath } from '../../../schemas/spec/path.ts'
import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Gateway } from '../../ir/nodes/gateway.ts'
import { listNode } from './tuning.ts'

/** What the daemon takes when nothing is said. */
const USUAL_NAME = 'admin'
const USUAL_HEADERS = {
  user_header: 'x-forwarded-user',
  email_header: 'x-forwarded-email',
  groups_header: 'x-forwarded-groups',
} as const

type Auth = Gateway['auth']

/** How people and programs prove who they are. */
export function authTable(auth: Auth): JsonNode {
  const origin: SpecPath = ['gate', 'auth']
  const { modes, username, jwt, proxy, tailscale, ...secrets } = auth
  const { token: _token, password_hash: _hash, oidc, ...rest } = secrets
  rest satisfies Record<string, never>
  const { issuer, expiration_hours, secret: _secret, ...restOfJwt } = jwt
  restOfJwt satisfies Record<string, never>
  return object(origin, {
    mode: value([...origin, 'mode'], modes.length === 1 ? (modes[0] ?? 'token') : modes),
    username: username === USUAL_NAME ? undefined : value([...origin, 'username'], username),
    jwt: object([...origin, 'jwt'], {
      issuer: value([...origin, 'jwt', 'issuer'], issuer),
      expiration_hours: value([...origin, 'jwt', 'expiration_hours'], expiration_hours),
    }),
    ...signedIn(proxy, tailscale),
    oidc: providers(oidc),
  })
}

/** Who is signed in by others; said where it differs from what the daemon takes. */
function signedIn(proxy: Auth['proxy'], tailscale: Auth['tailscale']): Record<string, JsonNode | undefined> {
  const at: SpecPath = ['gate', 'auth', 'proxy']
  const { from, user_header, email_header, groups_header, roles, ...rest } = proxy
  rest satisfies Record<string, never>
  const { tailnets, ...others } = tailscale
  others satisfies Record<string, never>
  const header = (key: keyof typeof USUAL_HEADERS, name: string) =>
    name === USUAL_HEADERS[key] ? undefined : value([...at, key], name)
  const told = {
    from: from.length === 0 ? undefined : value([...at, 'from'], from),
    user_header: header('user_header', user_header),
    email_header: header('email_header', email_header),
    groups_header: header('groups_header', groups_header),
    roles: listNode([...at, 'roles'], roles),
  }
  const ofTailscale: SpecPath = ['gate', 'auth', 'tailscale']
  return {
    proxy: Object.values(told).every((node) => node === undefined) ? undefined : object(at, told),
    tailscale:
      tailnets.length === 0
        ? undefined
        : object(ofTailscale, { tailnets: value([...ofTailscale, 'tailnets'], tailnets) }),
  }
}

/** Identity providers; their secrets come as credentials. */
function providers(oidc: Auth['oidc']): JsonNode | undefined {
  const at: SpecPath = ['gate', 'auth', 'oidc']
  const entries = Object.entries(oidc).map(([name, provider]) => {
    const { issuer, client_id, client_secret: _secret, scopes, claim, roles, otherwise, ...rest } = provider
    rest satisfies Record<string, never>
    const own = [...at, name]
    const table = object(own, {
      issuer: value([...own, 'issuer'], issuer),
      client_id: value([...own, 'client_id'], client_id),
      scopes: value([...own, 'scopes'], scopes),
      claim: value([...own, 'claim'], claim),
      roles: listNode([...own, 'roles'], roles),
      otherwise: value([...own, 'otherwise'], otherwise),
    })
    return [name, table] as const
  })
  return entries.length === 0 ? undefined : object(at, Object.fromEntries(entries))
}
