import { z } from 'zod'

/** One thing that was done, or was refused. */
const auditEntry = z.strictObject({
  seq: z.int(),
  at: z.iso.datetime(),
  /** How it was shown who it was, such as `key`, `session`, `socket`. */
  via: z.string(),
  /** Id of the person, else of the key; empty where neither is known. */
  who: z.string(),
  name: z.string(),
  action: z.string(),
  /** `kind:id`. */
  object: z.string(),
  /** Of the client; null: it came over the admin socket, or from the daemon itself. */
  address: z.string().nullable(),
  door: z.string(),
  outcome: z.string(),
  reason: z.string(),
  /** What was changed; secrets are fingerprints. */
  old: z.unknown().optional(),
  new: z.unknown().optional(),
  /** SHA-256 of the entry before and this one. */
  hash: z.string(),
})
export type AuditInfo = z.output<typeof auditEntry>

const MOST_AUDIT_ENTRIES = 1_000

export const auditQuery = z.strictObject({
  /** A duration such as `7d`, a day, or a time; everything when absent. */
  since: z.string().exactOptional(),
  /** Entries before this number, for the next page. */
  before: z.coerce.number().int().positive().exactOptional(),
  limit: z.coerce.number().int().min(1).max(MOST_AUDIT_ENTRIES).default(100),
})

/** The newest first. */
const auditPage = z.strictObject({ entries: z.array(auditEntry) })

export const auditVerifyQuery = z.strictObject({
  /** Number and hash of an entry, as the log or an earlier check named them: `12:3f…`. */
  head: z
    .string()
    .regex(/^\d{1,15}:[0-9a-f]{64}$/, 'write NUMBER:HASH, as "gatectl audit verify" prints it')
    .exactOptional(),
})

const auditVerdict = z.strictObject({
  entries: z.int(),
  /** Number and hash of the last entry. */
  head: z.strictObject({ seq: z.int(), hash: z.string() }),
  /** What is wrong, the first ones; none: it is as it was written. */
  faults: z.array(z.strictObject({ seq: z.int(), message: z.string() })),
})
export type AuditVerdict = z.output<typeof auditVerdict>

export const AUDIT_ANSWERS = {
  'GET /api/admin/audit': auditPage,
  'GET /api/admin/audit/verify': auditVerdict,
} as const
