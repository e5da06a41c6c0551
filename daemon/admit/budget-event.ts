import { type Pot, type PotWindow, percentOf } from './pot.ts'

/** What a budget says when a share of it is spent. Amounts are micro-dollars. */
export type BudgetEvent = {
  readonly budget: string
  readonly subject: string
  readonly percent: number
  readonly spent: number
  readonly limit: number
  readonly resetMs: number
}

/** Shares of a limit that are told when they are reached. */
const TOLD_PERCENT = [75, 95, 100] as const

/** The highest of the told shares that is reached; 0: none. */
export const reachedAt = (percent: number): number => TOLD_PERCENT.findLast((share) => percent >= share) ?? 0

/** Tells what share of the limit is spent, and notes from which amount on to look again. */
export function tellShare(pot: Pot, window: PotWindow, tell: (event: BudgetEvent) => void): void {
  const percent = percentOf(pot, window)
  const reached = reachedAt(percent)
  const next = TOLD_PERCENT.find((share) => percent < share) ?? Number.POSITIVE_INFINITY
  window.tellFrom = ((pot.rule.limit + window.refilled) * next) / 100
  if (reached <= window.toldPercent) return
  window.toldPercent = reached
  const { rule, subject } = pot
  const limit = rule.limit + window.refilled
  tell({ budget: rule.name, subject, percent: reached, spent: window.spent, limit, resetMs: window.endMs })
}
