import { SCOPES, type Scope } from './scopes.ts'

/** What a person is in the gateway. */
export const ROLES = ['admin', 'member', 'viewer'] as const
export type Role = (typeof ROLES)[number]

/**
 * What a person of each role may do, and their keys at most. Everyone who is signed in sees their own keys and usage.
 */
export const SCOPES_OF_ROLE: Readonly<Record<Role, ReadonlySet<Scope>>> = {
  admin: new Set(SCOPES),
  member: new Set<Scope>(['chat:read', 'chat:write']),
  viewer: new Set<Scope>(['chat:read']),
}
