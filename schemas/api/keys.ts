import { z } from 'zod'
import { cidrs } from '../config/values.ts'
import { SCOPES } from '../words/scopes.ts'

/** Texts that people write, for people: no control characters. */
export const plainName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, 'use no control characters')
const scopes = z.array(z.enum(SCOPES)).min(1).max(SCOPES.length)
const time = z.iso.datetime()
/** As clients write it. */
const modelName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'use no control characters')
const models = z.array(modelName).min(1).max(100)
const addresses = cidrs.max(100)
const ownNames = z.array(plainName).max(20)
/** A duration such as "30d". */
const duration = z.string().min(1).max(40)

/** A person or a team as others name it. */
export const named = z.strictObject({ id: z.string(), name: z.string() })

/** A key: never its text. */
export const keyInfo = z.strictObject({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  /** What is left of them, where whose key it is, or who made it, may do less; absent: all of them. */
  effective_scopes: z.array(z.enum(SCOPES)).exactOptional(),
  state: z.enum(['valid', 'expired', 'disabled', 'revoked', 'removed']),
  /** Whose key it is; absent: a service key. */
  owner: named.exactOptional(),
  /** The team that a service key counts for. */
  team: named.exactOptional(),
  /** Who made it; absent: the operator of the host. */
  maker: z.strictObject({ kind: z.enum(['user', 'key']), id: z.string(), name: z.string() }).exactOptional(),
  models: z.array(z.string()).exactOptional(),
  categories: z.array(z.string()).exactOptional(),
  pinned: z.string().exactOptional(),
  names_users: z.literal(true).exactOptional(),
  addresses: z.array(z.string()).exactOptional(),
  budgets: z.array(z.string()).exactOptional(),
  limits: z.array(z.string()).exactOptional(),
  node: z.string().exactOptional(),
  created_at: time,
  expires_at: time.exactOptional(),
  disabled_at: time.exactOptional(),
  revoked_at: time.exactOptional(),
})
export type KeyInfo = z.output<typeof keyInfo>

/** What everyone says of a key of their own. */
const own = {
  name: plainName,
  scopes,
  /** What the key may use: `coder`, `openai/gpt-5`, `local/*`; and categories of virtual models. Everything without. */
  models: models.exactOptional(),
  categories: models.exactOptional(),
  /** The one model that answers, whichever is asked for; not together with the two above. */
  pinned: modelName.exactOptional(),
  /** Addresses and ranges that the key may come from; any without. */
  addresses: addresses.exactOptional(),
  /** A duration such as "30d"; never expires when absent. */
  expires_in: duration.exactOptional(),
}
/** What an administrator may say besides. */
const byAdmin = {
  names_users: z.literal(true).exactOptional(),
  budgets: ownNames.exactOptional(),
  limits: ownNames.exactOptional(),
}

/** POST /api/user/tokens */
export const ownKeyRequest = z.strictObject(own)
/** POST /api/admin/keys, POST /auth/create-token */
export const keyRequest = z.strictObject({
  ...own,
  ...byAdmin,
  /** Whose key it is: the name or id of a user. */
  owner: plainName.exactOptional(),
  /** Id of another gateway, which alone may use the key; any client may without. */
  node: z
    .string()
    .regex(/^[a-z2-7]{32}$/, 'write the node id of a gateway')
    .exactOptional(),
  /** A service key, which belongs to no person. */
  service: z.literal(true).exactOptional(),
  /** The team that a service key counts for: its name or id. */
  team: plainName.exactOptional(),
})
export type KeyRequest = z.output<typeof keyRequest>

/** PATCH /api/admin/keys/{id}: what is not named stays; null takes away. */
export const keyChange = z.strictObject({
  name: plainName.exactOptional(),
  scopes: scopes.exactOptional(),
  models: models.nullable().exactOptional(),
  categories: models.nullable().exactOptional(),
  pinned: modelName.nullable().exactOptional(),
  names_users: z.boolean().exactOptional(),
  addresses: addresses.nullable().exactOptional(),
  budgets: ownNames.nullable().exactOptional(),
  limits: ownNames.nullable().exactOptional(),
  expires_in: duration.nullable().exactOptional(),
  disabled: z.boolean().exactOptional(),
})
export type KeyChangeRequest = z.output<typeof keyChange>

/** The only time that a key is shown. */
export const madeKey = keyInfo.extend({ token: z.string() })
export const keyList = z.strictObject({ keys: z.array(keyInfo) })
export const revokedKey = z.strictObject({ id: z.string(), revoked: z.literal(true) })

/** POST /api/admin/keys/{id}/rotate: how long the text before counts as well; 24 h when absent, "0s" not at all. */
export const rotateRequest = z.strictObject({ overlap: duration.exactOptional() })
/** The new text, shown this once. */
export const rotatedKey = z.strictObject({
  id: z.string(),
  name: z.string(),
  token: z.string(),
  previous_valid_until: time,
})
