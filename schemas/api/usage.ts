import { z } from 'zod'
import { usageReport } from '../admin-usage.ts'

export const USAGE_PERIODS = ['hour', 'day', 'week', 'month'] as const

export const adminUsageQuery = z.strictObject({
  /** A duration such as `7d`, a day, or a time; 24 hours when absent. */
  since: z.string().exactOptional(),
})
/** The last hour, 24 hours, 7 days or 30 days. */
export const userUsageQuery = z.strictObject({ period: z.enum(USAGE_PERIODS).default('day') })

export const USAGE_ANSWERS = {
  'GET /api/admin/usage': usageReport,
  'GET /api/user/usage': usageReport,
} as const
