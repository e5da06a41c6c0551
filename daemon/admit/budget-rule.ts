import type { BudgetConfig } from '../../schemas/config/config.ts'
import { microdollarsOf } from '../../schemas/words/money.ts'
import { type PayerScope, payerScope } from '../../schemas/words/payer-scope.ts'
import { type Window, windowAt } from './window.ts'

/** A budget as it is configured. Amounts are micro-dollars. */
export type BudgetRule = {
  readonly name: string
  readonly scope: PayerScope
  readonly limit: number
  /** Requests are refused when what is spent and reserved would be more; null: it is soft. */
  readonly ceiling: number | null
  readonly refusesUnknown: boolean
  readonly windowAt: (atMs: number) => Window
}

export function budgetRule(name: string, config: BudgetConfig): BudgetRule {
  const limit = microdollarsOf(config.limit)
  let latest: Window | null = null
  return {
    name,
    scope: payerScope(config.scope),
    limit,
    ceiling: config.soft ? null : limit + microdollarsOf(config.overdraft),
    refusesUnknown: config.unknown_price === 'refuse',
    windowAt(atMs) {
      if (latest === null || atMs < latest.startMs || atMs >= latest.endMs)
        latest = windowAt(config.window, config.zone, atMs)
      return latest
    },
  }
}
