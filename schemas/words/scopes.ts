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
