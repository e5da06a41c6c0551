import { amountText } from '../../schemas/words/money.ts'
import type { BudgetEvent } from '../admit/budget-event.ts'
import type { TellAlert } from '../alerts/alert.ts'

const SPENT_PERCENT = 100

/** Tells operators that a share of a budget is spent, once for each share and window. */
export function tellBudget(tell: TellAlert, { budget, subject, percent, spent, limit, resetMs }: BudgetEvent): void {
  const whose = subject === '' ? `budget "${budget}"` : `budget "${budget}" of "${subject}"`
  const resets = new Date(resetMs).toISOString().replace('.000', '')
  tell({
    event: 'budget',
    subject: subject === '' ? budget : `${budget} ${subject}`,
    state: 'on',
    level: `${percent} % of ${amountText(limit)} until ${resets}`,
    severity: percent >= SPENT_PERCENT ? 'critical' : 'warning',
    message: `${percent} % of ${whose} are spent: ${amountText(spent)} of ${amountText(limit)}; it begins anew at ${resets}`,
  })
}
