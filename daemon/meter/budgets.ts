import { gaugeText, labelText } from './series.ts'

/** A budget as it stands, all its subjects together. Amounts are micro-dollars. */
export type BudgetReading = {
  readonly name: string
  /** Of each subject. */
  readonly limit: number
  readonly spent: number
  readonly reserved: number
  /** Of the subject that is closest to its limit. */
  readonly percent: number
}

/** Texts of the metrics of all budgets, read at the scrape. */
export function budgetMetrics(budgets: readonly BudgetReading[]): readonly string[] {
  const each = (of: (budget: BudgetReading) => number) =>
    budgets.map((budget) => [labelText(['budget'], [budget.name]), of(budget)] as const)
  return [
    gaugeText(
      'gate_budget_limit_microdollars',
      'What each subject of a budget may spend in a window.',
      each(({ limit }) => limit),
    ),
    gaugeText(
      'gate_budget_spent_microdollars',
      'Spent in the current window, by all subjects of a budget.',
      each(({ spent }) => spent),
    ),
    gaugeText(
      'gate_budget_reserved_microdollars',
      'The most that requests in flight may cost.',
      each(({ reserved }) => reserved),
    ),
    gaugeText(
      'gate_budget_used_ratio',
      'Share of its limit that is spent, of the subject that is closest to it.',
      each(({ percent }) => percent / 100),
    ),
  ]
}
