import { type Pot, percentOf } from './pot.ts'
import type { Pots } from './pots.ts'

/** How each budget stands, its pots together; a pot whose window is over has spent nothing. Amounts are micro-dollars. */
export function budgetReadings(pots: Pick<Pots, 'entries'>, atMs: number) {
  return pots.entries().map(({ rule, bySubject }) => {
    const current = Array.from(bySubject.values()).filter(({ now }) => isCurrent(now, atMs))
    return {
      name: rule.name,
      limit: rule.limit,
      spent: current.reduce((sum, { now }) => sum + now.spent, 0),
      reserved: current.reduce((sum, { now }) => sum + now.reserved, 0),
      percent: current.reduce((most, pot) => Math.max(most, percentOf(pot, pot.now)), 0),
    }
  })
}

const isCurrent = ({ windowStartMs, endMs }: Pot['now'], atMs: number): boolean => atMs >= windowStartMs && atMs < endMs
