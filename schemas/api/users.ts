import { z } from 'zod'
import { ROLES } from '../words/roles.ts'
import { named } from './keys.ts'

const time = z.iso.datetime()
/** What people sign in with: a colon would end it in HTTP Basic. */
const userName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}:/]*$/u, 'use no control characters, no ":" and no "/"')
  .regex(/^\S(?:.*\S)?$/u, 'begin and end with something other than a space')
const email = z.email().max(254)
/** As NIST SP 800-63B has it: long, without rules on what is in it. */
const newPassword = z.string().min(8, 'use at least 8 characters').max(1_024)
const role = z.enum(ROLES)

/** A person: never the password, or what is stored of it. */
export const userInfo = z.strictObject({
  id: z.string(),
  name: z.string(),
  email: z.string().exactOptional(),
  role,
  /** Who says who it is: `local`, `config`, `oidc`, `proxy`, `tailscale`. */
  source: z.string(),
  has_password: z.boolean(),
  teams: z.array(named),
  keys: z.int(),
  sessions: z.int(),
  created_at: time,
  signed_in_at: time.exactOptional(),
  disabled_at: time.exactOptional(),
})
export type UserInfo = z.output<typeof userInfo>
export const userList = z.strictObject({ users: z.array(userInfo) })

/** POST /api/admin/users */
export const userRequest = z.strictObject({
  name: userName,
  email: email.exactOptional(),
  role: role.default('member'),
  password: newPassword.exactOptional(),
})
/** PATCH /api/admin/users/{id}: what is not named stays; null takes away. */
export const userChange = z.strictObject({
  name: userName.exactOptional(),
  email: email.nullable().exactOptional(),
  role: role.exactOptional(),
  disabled: z.boolean().exactOptional(),
  password: newPassword.nullable().exactOptional(),
})
export const removedUser = z.strictObject({ id: z.string(), removed: z.literal(true) })
export const signedOut = z.strictObject({ sessions: z.int() })

/** Where someone is signed in. */
const sessionInfo = z.strictObject({
  id: z.string(),
  /** The one that asks. */
  current: z.boolean(),
  via: z.string(),
  address: z.string(),
  agent: z.string(),
  created_at: time,
  seen_at: time,
  expires_at: time,
})
export const sessionList = z.strictObject({ sessions: z.array(sessionInfo) })

export const teamInfo = z.strictObject({
  id: z.string(),
  name: z.string(),
  members: z.array(named),
  created_at: time,
})
export type TeamInfo = z.output<typeof teamInfo>
export const teamList = z.strictObject({ teams: z.array(teamInfo) })
export const teamRequest = z.strictObject({ name: userName })
