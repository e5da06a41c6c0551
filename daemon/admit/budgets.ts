import type { BudgetConfig } from '../../schemas/config/config.ts'
import type { LeaseName, Leases } from './leases.ts'
import type { Destination, Payer, PayerNames } from './payer.ts'
import { ceilingOf, type Pot, type PotWindow, percentOf, settledWindow, type WindowSources, windowOf } from './pot.ts'
import { potStates } from './pot-state.ts'
import { createPots } from './pots.ts'

/** What one attempt may cost, taken from its pots until it is settled. */
export type Reservation = {
  readonly pots: readonly Pot[]
  /** When the attempt began, Unix milliseconds: it is settled in the windows of then. */
  readonly atMs: number
  /** Micro-dollars. */
  amount: number
  readonly isFree: boolean
  /** It was settled, or given back. */
  isOver: boolean
}

/** The most that an attempt may cost, in micro-dollars; 0 where the price is not known. */
export type Worst = { readonly amount: number; readonly isFree: boolean; readonly isKnown: boolean }

/** Why money cannot be had. */
export type Refusal =
  | { readonly kind: 'spent'; readonly pot: Pot; readonly window: PotWindow; readonly amount: number }
  | { readonly kind: 'unknown-price'; readonly pot: Pot }

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
/** A lease goes beyond what is needed by this share of the budget, within these bounds. */
const LEASE_SHARE = 0.01
const SMALLEST_LEASE = 10_000
const LARGEST_LEASE = 1_000_000

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
    { amount, isFree, isKnown }: Worst,
  ): Reservation | Refusal | Promise<Reservation | Refusal> {
    for (const pot of from) {
      if (!isKnown && pot.rule.refusesUnknown) return { kind: 'unknown-price', pot }
      const window = windowOf(pot, atMs, sources)
      if (!isFree && !mayTake(pot, window, amount)) return { kind: 'spent', pot, window, amount }
    }
    const reservation: Reservation = { pots: from, atMs, amount, isFree, isOver: false }
    let isShort = false
    for (const { rule, now: window } of from) {
      window.reserved += amount
      if (rule.ceiling !== null && window.spent + window.reserved > window.leased) isShort = true
    }
    if (!isShort) return reservation
    const waits = leaseAll(reservation)
    return waits.length === 0 ? reservation : leased(reservation, waits)
  }

  function mayTake({ rule }: Pot, { spent, reserved, refilled }: PotWindow, amount: number): boolean {
    if (rule.ceiling === null) return true
    const ceiling = Math.max(0, rule.ceiling + refilled)
    return spent < ceiling && (reserved === 0 || spent + reserved + amount <= ceiling)
  }

  /** @returns what is waited for, each with the pot that could not be had, or null */
  function leaseAll(reservation: Reservation): Promise<Pot | null>[] {
    const waits: Promise<Pot | null>[] = []
    for (const pot of reservation.pots) {
      const window = pot.now
      if (pot.rule.ceiling === null || window.spent + window.reserved <= window.leased) continue
      try {
        const extended = extend(pot, window)
        if (typeof extended === 'number') {
          window.leased = extended
          if (window.spent + window.reserved > extended) waits.push(Promise.resolve(pot))
        } else waits.push(extended.then((upTo) => denied(pot, window, upTo)))
      } catch (error) {
        release(reservation)
        throw error
      }
    }
    return waits
  }

  function denied(pot: Pot, window: PotWindow, upTo: number): Pot | null {
    window.leased = Math.max(window.leased, upTo)
    return window.spent + window.reserved > window.leased ? pot : null
  }

  function extend(pot: Pot, window: PotWindow): number | Promise<number> {
    const ceiling = ceilingOf(pot, window) ?? 0
    const needed = window.spent + window.reserved
    const more = Math.min(LARGEST_LEASE, Math.max(SMALLEST_LEASE, Math.ceil(ceiling * LEASE_SHARE)))
    return leases.extend(window, needed, Math.max(needed, Math.min(needed + more, ceiling)))
  }

  async function leased(reservation: Reservation, waits: readonly Promise<Pot | null>[]) {
    try {
      const [pot] = (await Promise.all(waits)).filter((one) => one !== null)
      if (pot === undefined) return reservation
      release(reservation)
      return { kind: 'spent', pot, window: pot.now, amount: reservation.amount } as const
    } catch (error) {
      release(reservation)
      throw error
    }
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
    if (window.spent >= window.tellFrom) look(pot, window)
  }

  /** Tells what share of the limit is spent, and notes from which amount on to look again. */
  function look(pot: Pot, window: PotWindow): void {
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

  return {
    pots,
    /** Takes over a configuration. @returns whether there are budgets whose spending is not known yet */
    apply(budgets: Readonly<Record<string, BudgetConfig>>): boolean {
      const hasNew = pots.apply(budgets)
      for (const pot of pots.all()) {
        const window = pot.now
        // of a higher limit the same shares are news again, and a lower one may be spent already
        window.toldPercent = Math.min(window.toldPercent, reachedAt(percentOf(pot, window)))
        if (window.spent > 0) look(pot, window)
      }
      return hasNew
    },
    reserve,
    settle,
    release,
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

/** The highest of the told shares that is reached; 0: none. */
const reachedAt = (percent: number): number => TOLD_PERCENT.findLast((share) => percent >= share) ?? 0
