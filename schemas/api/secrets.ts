import { z } from 'zod'

/** GET /api/admin/secrets, POST /api/admin/secrets/rotate: which keys seal, and what is being sealed anew. */
export const secretsStatus = z.strictObject({
  /** What opens the keyring. */
  master: z.enum(['credential', 'configuration', 'previous', 'file']),
  /** The current one last. */
  keys: z.array(z.strictObject({ id: z.string(), made_at: z.string(), current: z.boolean() })),
  /** Whether everything that is sealed is being sealed with the current key. */
  rotating: z.boolean(),
  /** How many texts the last rotation has sealed anew. */
  sealed: z.int(),
  /** How many of them no key opened; they stay as they are. */
  lost: z.int(),
  /** Why the last rotation did not come to its end. */
  last_error: z.string().optional(),
})
export type SecretsStatus = z.output<typeof secretsStatus>

/** What gatectl asks. */
export const SECRETS_ANSWERS = {
  'GET /api/admin/secrets': secretsStatus,
  'POST /api/admin/secrets/rotate': secretsStatus,
} as const
