/** What a key may do. `admin` includes all others. */
export const SCOPES = [
  'chat:read',
  'chat:write',
  'agent:read',
  'agent:manage',
  'channel:read',
  'channel:manage',
  'config:read',
  'config:write',
  'admin',
] as const

export type Scope = (typeof SCOPES)[number]

/** Scopes of those who run the gateway, or look at how it runs. */
export const OPERATOR_SCOPES: ReadonlySet<string> = new Set<Scope>(['config:read', 'config:write', 'admin'])

/** The scopes in a text of RFC 6749 section 3.3; what is not known of it is ignored. */
export function scopesIn(text: string): readonly Scope[] {
  const asked = new Set(text.split(' '))
  return SCOPES.filter((scope) => asked.has(scope))
}
