import { z } from 'zod'
import { ROLES } from '../words/roles.ts'
import { SCOPES } from '../words/scopes.ts'
import { named, plainName } from './keys.ts'

const time = z.iso.datetime()

/** POST /auth/login: without a name, the one of `auth.username` is meant. */
export const loginRequest = z.strictObject({
  username: z.string().min(1).max(200).exactOptional(),
  password: z.string().max(4_096),
})

/** Who asks: GET /auth/me */
export const me = z.strictObject({
  name: z.string(),
  via: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  /** The person; absent for a service key and the like. */
  user: z
    .strictObject({ id: z.string(), name: z.string(), email: z.string().exactOptional(), role: z.enum(ROLES) })
    .exactOptional(),
  teams: z.array(named),
  key: named.exactOptional(),
  session: z.strictObject({ id: z.string(), expires_at: time }).exactOptional(),
})

/** POST /auth/login, POST /auth/refresh: the token is in the cookie as well. */
export const signedIn = z.strictObject({ token: z.string(), expires_at: time, user: me.shape.user.unwrap() })

/** POST /auth/logout */
export const logoutRequest = z.strictObject({ everywhere: z.boolean().exactOptional() })
export const loggedOut = z.strictObject({
  sessions: z.int(),
  /** Where the browser is signed out of its identity provider as well. */
  url: z.string().exactOptional(),
})

/** POST /auth/rotate-token: without a key, the system token. */
export const rotateTokenRequest = z.strictObject({
  /** The name or id of a key. */
  key: plainName.exactOptional(),
  overlap: z.string().min(1).max(40).exactOptional(),
})
