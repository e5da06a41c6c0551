import { z } from 'zod'

const usageCounts = z.strictObject({
  requests: z.int(),
  /** Those whose last attempt was refused, failed or broke off. */
  failed: z.int(),
  /** Those whose client left. */
  cancelled: z.int(),
  /** Those of whose tokens Gate counted some, as the upstream reported none. */
  estimated: z.int(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  /** Of the input tokens. */
  cached_tokens: z.int(),
  /** Without what has no known price. */
  cost_microdollars: z.int(),
  /** Those that used tokens of a model whose price is not known. */
  unpriced: z.int(),
  /** Of those that were answered, by columns that are 1.4 times as wide as they begin; absent when none was. */
  median_ms: z.int().exactOptional(),
})
export type UsageCounts = z.output<typeof usageCounts>
const usageGroup = usageCounts.extend({ name: z.string() })
export type UsageGroup = z.output<typeof usageGroup>
const usagePoint = z.strictObject({
  /** Beginning of five minutes, an hour, or a day. */
  at: z.iso.datetime(),
  requests: z.int(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cost_microdollars: z.int(),
})
export type UsagePoint = z.output<typeof usagePoint>
/**
 * GET /api/admin/usage?since=24h: requests that reached an upstream, the busiest of each kind first. A request that was
 * tried at two upstreams counts once by model and key, and at both upstreams. `since` is a duration or a time.
 */
export const usageReport = z.strictObject({
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  total: usageCounts,
  models: z.array(usageGroup),
  keys: z.array(usageGroup.extend({ id: z.string() })),
  upstreams: z.array(usageGroup),
  /** Of keys that name their users, as the program of the key calls them. */
  users: z.array(usageGroup),
  /** Of people who have an account, by id. */
  people: z.array(usageGroup.extend({ id: z.string() })),
  teams: z.array(usageGroup.extend({ id: z.string() })),
  categories: z.array(usageGroup),
  series: z.array(usagePoint),
  /** Why the last rows are missing: they wait in the journal. */
  incomplete: z.string().exactOptional(),
})
