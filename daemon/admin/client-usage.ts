import type { ClientUsage } from '../../schemas/api/client-gateway.ts'

/** What a person may spend in a window, and has. Micro-dollars; times are Unix milliseconds. */
export type Cap = {
  readonly window: 'hour' | 'day' | 'week' | 'month'
  readonly limit: number
  readonly spent: number
  readonly resetMs: number
}

const MICRODOLLARS_PER_CENT = 10_000
const GROUPS = { hour: 'hourly', day: 'daily', week: 'weekly', month: 'monthly' } as const

/** Standings as Claude Code shows them: the fullest cap is the one that its dollars are about. */
export function clientUsageOf(caps: readonly Cap[]): ClientUsage {
  const sorted = caps.toSorted((a, b) => shareOf(b) - shareOf(a))
  const [fullest] = sorted
  if (fullest === undefined) {
    const extra = {
      is_enabled: false,
      monthly_limit: null,
      used_credits: 0,
      utilization: null,
      currency: 'USD',
    } as const
    return { extra_usage: extra, limits: [] }
  }
  return {
    extra_usage: {
      is_enabled: true,
      monthly_limit: cents(fullest.limit),
      used_credits: cents(fullest.spent),
      utilization: percentOf(fullest),
      currency: 'USD',
    },
    limits: sorted.map((cap, index) => ({
      kind: 'spend',
      group: GROUPS[cap.window],
      percent: percentOf(cap),
      resets_at: new Date(cap.resetMs).toISOString(),
      severity: severityOf(shareOf(cap)),
      is_active: index === 0,
    })),
  }
}

const cents = (microdollars: number): number => Math.round(microdollars / MICRODOLLARS_PER_CENT)
/** A cap of nothing is used up. */
const shareOf = ({ spent, limit }: Cap): number => (limit > 0 ? spent / limit : 1)
const percentOf = (cap: Cap): number => Math.floor(100 * shareOf(cap))

function severityOf(share: number): 'normal' | 'warning' | 'critical' {
  if (share >= 1) return 'critical'
  return share >= 0.75 ? 'warning' : 'normal'
}
