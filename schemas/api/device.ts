import { z } from 'zod'

/** Signing in on a device (RFC 8628): POST /auth/device, /auth/device/token, /auth/revoke. Unknown parameters are ignored. */

const parameter = z.string().max(4_000).optional()

export const deviceRequest = z.looseObject({ client_id: parameter, scope: parameter }).prefault({})

export const deviceAnswer = z.strictObject({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.string(),
  verification_uri_complete: z.string(),
  /** Seconds. */
  expires_in: z.int(),
  /** Seconds between two polls. */
  interval: z.int(),
})

export const tokenRequestForm = z
  .looseObject({
    grant_type: parameter,
    device_code: parameter,
    refresh_token: parameter,
    client_id: parameter,
  })
  .prefault({})

/** RFC 6749 section 5.1; an error is as section 5.2 says. */
/** RFC 6749 section 5.2 */
export const oauthError = z.strictObject({ error: z.string(), error_description: z.string().exactOptional() })
export const tokenAnswer = z.union([
  z.strictObject({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    /** Seconds. */
    expires_in: z.int(),
    refresh_token: z.string(),
    scope: z.string(),
    /** Of the person who let the device in. */
    email: z.string().exactOptional(),
  }),
  z.strictObject({ error: z.string(), error_description: z.string() }),
])

/** RFC 7009. */
export const revokeRequest = z.looseObject({ token: parameter, token_type_hint: parameter }).prefault({})

/** RFC 8414. */
export const serverMetadata = z.strictObject({
  issuer: z.string(),
  device_authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  revocation_endpoint: z.string(),
  grant_types_supported: z.array(z.string()),
  response_types_supported: z.array(z.string()),
  scopes_supported: z.array(z.string()),
  token_endpoint_auth_methods_supported: z.array(z.string()),
})

/** GET /api/user/devices: those that the person let in. Times are ISO 8601 in UTC. */
export const deviceList = z.strictObject({
  devices: z.array(
    z.strictObject({
      id: z.string(),
      label: z.string(),
      client_id: z.string().nullable(),
      /** null: all that the person may. */
      scopes: z.array(z.string()).nullable(),
      created_at: z.iso.datetime(),
      used_at: z.iso.datetime(),
    }),
  ),
})

/** POST /api/user/devices: what a person decides on the device that shows a code. */
export const deviceDecision = z.strictObject({
  user_code: z.string().max(100),
  decision: z.enum(['approve', 'deny']),
})

/** What asks to be let in. */
export const pendingDevice = z.strictObject({
  user_code: z.string(),
  client_id: z.string().nullable(),
  /** As it called itself. */
  label: z.string(),
  /** null: all that the person may. */
  scope: z.string().nullable(),
  address: z.string(),
})
