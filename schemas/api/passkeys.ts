import { z } from 'zod'

/** Passkeys: what browsers make of options and credentials is theirs, and is checked by what verifies it. */

const base64url = z.string().regex(/^[A-Za-z0-9_-]{1,20000}$/)

export const passkeyOptions = z.strictObject({ options: z.looseObject({ challenge: z.string() }) })

const credentialParts = {
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['cross-platform', 'platform']).exactOptional(),
  clientExtensionResults: z.looseObject({}).default({}),
}

/** A credential that a browser has made. */
export const passkeyRequest = z.strictObject({
  name: z.string().trim().min(1).max(60).default('passkey'),
  credential: z.looseObject({
    ...credentialParts,
    response: z.looseObject({ clientDataJSON: base64url, attestationObject: base64url }),
  }),
})

/** A credential that a browser has used. */
export const passkeySignIn = z.strictObject({
  credential: z.looseObject({
    ...credentialParts,
    response: z.looseObject({ clientDataJSON: base64url, authenticatorData: base64url, signature: base64url }),
  }),
})

const passkeyInfo = z.strictObject({
  id: z.string(),
  name: z.string(),
  created_at: z.iso.datetime(),
  used_at: z.iso.datetime().nullable(),
})
export const madePasskey = passkeyInfo
export const passkeyList = z.strictObject({ passkeys: z.array(passkeyInfo) })
export const passkeySignedIn = z.strictObject({ expires_at: z.iso.datetime() })

/** Forms of the pages. */
export const loginForm = z.looseObject({
  username: z.string().max(200).default(''),
  password: z.string().max(4_096).default(''),
  return_to: z.string().max(4_000).optional(),
})
export const loginQuery = z.looseObject({ return_to: z.string().max(4_000).optional() })
export const deviceQuery = z.looseObject({ user_code: z.string().max(100).default('') })
export const deviceForm = z.looseObject({ user_code: z.string().max(100), decision: z.enum(['approve', 'deny']) })
