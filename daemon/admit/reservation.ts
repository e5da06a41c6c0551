import type { Pot, PotWindow } from './pot.ts'

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
export type Worst = {
  readonly amount: number
  readonly isFree: boolean
  readonly isKnown: boolean
  /** It does not begin unless all of it is left, also where it has the budget to itself. */
  readonly mustFit?: boolean
}

/** Why money cannot be had. */
export type Refusal =
  | { readonly kind: 'spent'; readonly pot: Pot; readonly window: PotWindow; readonly amount: number }
  | { readonly kind: 'unknown-price'; readonly pot: Pot }
