import type { BudgetConfig } from '../../schemas/config/config.ts'
import { type BudgetEvent, reachedAt, tellShare } from './budget-event.ts'
import { leaseAhead } from './lease-ahead.ts'
import type { LeaseName, Leases } from './leases.ts'
import type { Destination, Payer, PayerNames } from './payer.ts'
import {
  ceilingOf,
  mayTake,
  type Pot,
  type PotWindow,
  percentOf,
  settledWindow,
  type WindowSources,
  windowOf,
} from './pot.ts'
import { potStates } from './pot-state.ts'
import { createPots } from './pots.ts'
import type { Refusal, Reservation, Worst } from './reservation.ts'

export type Budgets = ReturnType<typeof createBudgets>

/**
 * Money: what an attempt may cost at most is reserved from every budget that applies before it is sent, at once or not
 * at all, and settled with what it did cost. An attempt that has a budget to itself may begin as long as anything is
 * left, so a budget is overspent by one reservation at most.
 * @param now Unix milliseconds
 */
export function createBudgets({
  leases,
  refilledIn,
  spentIn,
  names,
  now,
  tell,
  charged,
}: {
  readonly leases: Pick<Leases, 'before' | 'extend'>
  readonly refilledIn: (name: LeaseName) => number
  readonly spentIn: WindowSources['spentIn']
  readonly names: PayerNames
  readonly now: () => number
  readonly tell: (event: BudgetEvent) => void
  /** Is called when something was booked that may have been booked before. */
  readonly charged: () => void
}) {
  const sources: WindowSources = { leases, refilledIn, spentIn }
  const pots = createPots(names, sources, now)

  /**
   * Takes money for an attempt. @param atMs when it begins
   * @throws GateError STORE_UNAVAILABLE
   */
  function reserve(
    from: readonly Pot[],
    atMs: number,
    { amount, isFree, isKnown, mustFit = false }: Worst,
  ): Reservation | Refusal | Promise<Reservation | Refusal> {
    for (const pot of from) {
      if (!isKnown && pot.rule.refusesUnknown) return { kind: 'unknown-price', pot }
      const window = windowOf(pot, atMs, sources)
      if (!isFree && !mayTake(pot, window, amount, mustFit)) return { kind: 'spent', pot, window, amount }
    }
    const reservation: Reservation = { pots: from, atMs, amount, isFree, isOver: false }
    let isShort = false
    for (const { rule, now: window } of from) {
      window.reserved += amount
      if (rule.ceiling !== null && window.spent + window.reserved > window.leased) isShort = true
    }
    if (!isShort) return reservation
    return leaseAhead(leases, reservation, release)
  }

  /** Gives back all of it: nothing was sent. */
  function release(reservation: Reservation): void {
    settle(reservation, 0)
  }

  /** The attempt has cost this much; what comes after the first time changes nothing. */
  function settle(reservation: Reservation, cost: number): void {
    if (reservation.isOver) return
    reservation.isOver = true
    const { pots: from, atMs, amount } = reservation
    for (const pot of from) {
      const window = settledWindow(pot, atMs)
      if (window === undefined) continue
      window.reserved -= amount
      book(pot, window, cost)
    }
  }

  function book(pot: Pot, window: PotWindow, cost: number): void {
    if (cost === 0) return
    window.spent += cost
    window.settledHere += cost
    if (window.spent >= window.tellFrom) tellShare(pot, window, tell)
  }

  return {
    pots,
    /** Takes over a configuration. @returns whether there are budgets whose spending is not known yet */
    apply(budgets: Readonly<Record<string, BudgetConfig>>): boolean {
      const hasNew = pots.apply(budgets)
      for (const pot of pots.all()) {
        const window = pot.now
        // of a higher limit the same shares are news again, and a lower one may be spent already
        window.toldPercent = Math.min(window.toldPercent, reachedAt(percentOf(pot, window)))
        if (window.spent > 0) tellShare(pot, window, tell)
      }
      return hasNew
    },
    reserve,
    settle,
    release,
    /** Takes money for something that goes on since `atMs`, whether it is left or not, from the windows of then that go on. */
    hold(from: readonly Pot[], atMs: number, amount: number): Reservation {
      for (const pot of from) windowOf(pot, now(), sources)
      for (const pot of from) {
        const window = settledWindow(pot, atMs)
        if (window !== undefined) window.reserved += amount
      }
      return { pots: from, atMs, amount, isFree: false, isOver: false }
    },
    /** Raises a reservation to what an attempt has cost so far. @returns the pot that has no more; null: it may go on */
    raise(reservation: Reservation, cost: number): { readonly pot: Pot; readonly window: PotWindow } | null {
      if (reservation.isFree || reservation.isOver) return null
      const more = cost - reservation.amount
      let spent: { readonly pot: Pot; readonly window: PotWindow } | null = null
      for (const pot of reservation.pots) {
        const window = settledWindow(pot, reservation.atMs)
        if (window === undefined) continue
        if (more > 0) window.reserved += more
        const ceiling = ceilingOf(pot, window)
        if (ceiling !== null && (window.spent >= ceiling || (more > 0 && window.spent + window.reserved > ceiling)))
          spent = { pot, window }
      }
      if (more > 0) reservation.amount = cost
      return spent
    },
    /** How the pots of a budget are now, those first that have spent most. */
    states: (budget: string) => potStates(pots.of(budget)?.values() ?? [], now(), sources),
    /** The window of one subject that goes on; null: there is no such budget, or it has no such subject. */
    windowFor(budget: string, subject: string): PotWindow | null {
      const pot = pots.of(budget)?.get(subject)
      return pot === undefined ? null : windowOf(pot, now(), sources)
    },
    /** The first pot from which nothing more may be spent; null: there is none. */
    spentOf(from: readonly Pot[]): { readonly pot: Pot; readonly window: PotWindow } | null {
      for (const pot of from) {
        const window = windowOf(pot, now(), sources)
        if (!mayTake(pot, window, 0)) return { pot, window }
      }
      return null
    },
    /** Books what was spent without a reservation, and what may be booked already: the usage log is to say. */
    charge(payer: Payer, destination: Destination, atMs: number, cost: number): void {
      for (const pot of pots.spentFrom(payer, destination)) book(pot, windowOf(pot, atMs, sources), cost)
      if (cost > 0) charged()
    },
  }
}
