import type { Role } from '../../../schemas/words/roles.ts'

/** An identity provider (OpenID Connect) that people sign in with. */
export type IdentityProvider = {
  readonly id: string
  /** As people know it. */
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  /** null: a public client. */
  readonly clientSecret: string | null
  /** Between spaces. */
  readonly scopes: string
  readonly roles: RoleRules
  /** It is of the configuration, where alone it can be changed. */
  readonly isDeclared: boolean
}

/** Which role the people of a provider have, by a claim. */
export type RoleRules = {
  /** A claim, or the way to one inside of others, such as `realm_access.roles`: a list of texts, or one. */
  readonly claim: string
  /** The first whose group a person is in. */
  readonly groups: readonly { readonly group: string; readonly role: Role }[]
  /** Of all others; `none`: they are not let in. With no groups at all, Gate's own roles are not touched. */
  readonly otherwise: Role | 'none'
}

/** Who has signed in. A person is its issuer and subject, never an address for e-mail, which can change hands. */
export type Identity = {
  readonly providerId: string
  readonly issuer: string
  readonly subject: string
  readonly name: string
  readonly email: string | null
  /** What the provider's claims say; null: nothing, so the role is Gate's own affair. `none`: it is not let in. */
  readonly role: Role | 'none' | null
}

/** What claims say of a person's role. */
export function roleIn(
  claims: Readonly<Record<string, unknown>>,
  { claim, groups, otherwise }: RoleRules,
): Role | 'none' | null {
  const own = new Set(textsAt(claims, claim))
  const fitting = groups.find(({ group }) => own.has(group))
  if (fitting !== undefined) return fitting.role
  return groups.length > 0 || otherwise !== 'member' ? otherwise : null
}

/** A name with dots in it, such as a URL, is tried as it is first. */
function textsAt(claims: Readonly<Record<string, unknown>>, claim: string): readonly string[] {
  let value: unknown = own(claims, claim)
  if (value === undefined) value = claim.split('.').reduce<unknown>(own, claims)
  return [value].flat().filter((text) => typeof text === 'string')
}

function own(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, name)) return undefined
  return Reflect.get(holder, name)
}
