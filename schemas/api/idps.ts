import { z } from 'zod'
import { groupRoles } from '../config/auth.ts'
import { claimName, issuerUrl, oidcScopes, otherRole } from '../config/oidc.ts'

/** Identity providers: GET /auth/providers, /api/admin/idps. */

const LONGEST = 2_000

/** Which role the people of a provider have, by a claim of theirs. */
const roleRules = z.strictObject({
  /** Name of a claim, or the way to one inside of others, such as `realm_access.roles`. */
  claim: claimName.default('groups'),
  /** The first whose group a person is in. */
  groups: groupRoles.default([]),
  /** Of everyone else; `none`: they are not let in. */
  otherwise: otherRole.default('member'),
})

/** POST /api/admin/idps, PUT /api/admin/idps/{id}; there a secret that is left out stays. */
export const idpRequest = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^[^\p{Cc}]*$/u, 'write one line'),
  issuer: issuerUrl,
  client_id: z.string().min(1).max(LONGEST),
  /** null: a public client. */
  client_secret: z.string().min(1).max(LONGEST).nullable().exactOptional(),
  scopes: oidcScopes.default('openid email profile'),
  roles: roleRules.prefault({}),
})
export type IdpRequest = z.output<typeof idpRequest>

/** What is shown of one; never its secret. */
export const idpInfo = z.strictObject({
  id: z.string(),
  name: z.string(),
  issuer: z.string(),
  client_id: z.string(),
  has_secret: z.boolean(),
  scopes: z.string(),
  roles: roleRules,
  /** Of the configuration, where alone it can be changed. */
  declared: z.boolean(),
  /** What to enter there as the redirect URI. */
  redirect_uri: z.string(),
  /** Why it cannot be used. */
  problem: z.string().exactOptional(),
})
export type IdpInfo = z.output<typeof idpInfo>
export const idpList = z.strictObject({ idps: z.array(idpInfo) })

/** GET /auth/login: away to a provider. */
export const oidcBeginQuery = z.strictObject({
  provider: z.string().min(1).max(100),
  /** A path of Gate's own, for afterwards. */
  return_to: z.string().max(LONGEST).exactOptional(),
})
