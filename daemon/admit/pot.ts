import type { BudgetRule } from './budget-rule.ts'
import type { LeaseName, Leases } from './leases.ts'

/** What is spent and reserved in one window of one pot. Amounts are micro-dollars. */
export type PotWindow = LeaseName & {
  readonly endMs: number
  /** Settled, as far as it is known. */
  spent: number
  /** The part of `spent` that was settled since this window is in memory. */
  settledHere: number
  /** Of requests that are going on: the most that they may cost. */
  reserved: number
  /** How far spending may go without asking for more. */
  leased: number
  /** Added by operators to what the budget allows. */
  refilled: number
  /** The highest share of the limit, in percent, that was told. */
  toldPercent: number
  /** Below this much spent there is nothing to tell. */
  tellFrom: number
}

/** The money of one subject of one budget. */
export type Pot = {
  rule: BudgetRule
  /** Whom it is about, where the budget has one pot for each; else empty. */
  readonly subject: string
  now: PotWindow
  /** The windows that were current before: requests that began then are settled there, and clocks may go back. */
  readonly past: PotWindow[]
}

const MOST_PAST = 3

/** What a window begins with. */
export type WindowSources = {
  readonly leases: Pick<Leases, 'before'>
  readonly refilledIn: (name: LeaseName) => number
  /** What the usage log has of it; null: it was not read yet. */
  readonly spentIn: (name: LeaseName) => number | null
}

export function createPot(rule: BudgetRule, subject: string, atMs: number, sources: WindowSources): Pot {
  return { rule, subject, now: beginWindow(rule, subject, atMs, sources), past: [] }
}

function beginWindow(rule: BudgetRule, subject: string, atMs: number, sources: WindowSources): PotWindow {
  const { startMs: windowStartMs, endMs } = rule.windowAt(atMs)
  const name = { budget: rule.name, subject, windowStartMs }
  const before = rule.ceiling === null ? 0 : sources.leases.before(name)
  return {
    ...name,
    endMs,
    // until the usage log says how much it was, all that may have been spent counts
    spent: sources.spentIn(name) ?? before,
    settledHere: 0,
    reserved: 0,
    leased: before,
    refilled: sources.refilledIn(name),
    toldPercent: 0,
    tellFrom: 0,
  }
}

/** The window of a pot at a moment, which is current from then on, and begins if it is a new one. */
export function windowOf(pot: Pot, atMs: number, sources: WindowSources): PotWindow {
  if (isWithin(pot.now, atMs)) return pot.now
  const known = pot.past.findIndex((window) => isWithin(window, atMs))
  const [again] = known === -1 ? [] : pot.past.splice(known, 1)
  pot.past.unshift(pot.now)
  pot.past.length = Math.min(pot.past.length, MOST_PAST)
  pot.now = again ?? beginWindow(pot.rule, pot.subject, atMs, sources)
  return pot.now
}

/** The window in which a request that began at a moment is settled; undefined: it is long over. */
export function settledWindow({ now, past }: Pot, atMs: number): PotWindow | undefined {
  return isWithin(now, atMs) ? now : past.find((window) => isWithin(window, atMs))
}

const isWithin = ({ windowStartMs, endMs }: PotWindow, atMs: number): boolean => atMs >= windowStartMs && atMs < endMs

/** What is spent and reserved may not go beyond it; null: there is no end. */
export const ceilingOf = ({ rule }: Pot, { refilled }: PotWindow): number | null =>
  rule.ceiling === null ? null : Math.max(0, rule.ceiling + refilled)

/** How much of the limit is spent, in percent. */
export function percentOf({ rule }: Pot, { spent, refilled }: PotWindow): number {
  const limit = rule.limit + refilled
  return limit > 0 ? (spent / limit) * 100 : 100
}

/**
 * Whether so much may be taken. What has a budget to itself may begin as long as anything is left.
 * @param mustFit it may not
 */
export function mayTake(
  { rule }: Pot,
  { spent, reserved, refilled }: PotWindow,
  amount: number,
  mustFit = false,
): boolean {
  if (rule.ceiling === null) return true
  const ceiling = Math.max(0, rule.ceiling + refilled)
  return spent < ceiling && ((reserved === 0 && !mustFit) || spent + reserved + amount <= ceiling)
}
