import { z } from 'zod'

/** What Claude Code asks a gateway for that it has signed in to, beside its messages. */

/** GET /managed/settings: settings that the client takes over; `checksum` is its ETag as well. */
export const managedSettings = z.strictObject({
  uuid: z.string(),
  checksum: z.string(),
  settings: z.record(z.string(), z.unknown()),
})

/** Cents and whole percents; null: there is no cap. */
const spent = z.strictObject({
  limit: z.number().nullable(),
  used_credits: z.number(),
  utilization: z.number().nullable(),
})

/** GET /api/oauth/usage: what the person has spent, against their caps. Amounts are cents. */
export const clientUsage = z.strictObject({
  extra_usage: z.strictObject({
    is_enabled: z.boolean(),
    monthly_limit: z.number().nullable(),
    used_credits: z.number(),
    utilization: z.number().nullable(),
    currency: z.literal('USD'),
    daily: spent.exactOptional(),
    weekly: spent.exactOptional(),
  }),
  limits: z.array(
    z.strictObject({
      kind: z.literal('spend'),
      group: z.enum(['hourly', 'daily', 'weekly', 'monthly']),
      percent: z.number(),
      resets_at: z.iso.datetime(),
      severity: z.enum(['normal', 'warning', 'critical']),
      /** Of the row that `extra_usage` is about. */
      is_active: z.boolean(),
    }),
  ),
})
export type ClientUsage = z.output<typeof clientUsage>
