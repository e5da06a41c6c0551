import type { ModelPrice } from '../../schemas/words/model-facts.ts'
import type { Budgets } from '../admit/budgets.ts'
import type { Target } from '../route/target-health.ts'
import type { Answer } from './answer.ts'
import { spentError } from './paying.ts'
import { openRow } from './usage-row.ts'

/** Counting prompts may take this long in one go; those that are left are counted the next time. */
const COUNTING_MS = 10

/** What answers are held against: `now` is Unix milliseconds, `monotonic` milliseconds of a clock that never jumps. */
export type GuardParts = {
  readonly budgets: Pick<Budgets, 'raise'>
  readonly priceOf: (target: Target) => ModelPrice | null
  readonly now: () => number
  readonly monotonic: () => number
}

/**
 * Holds what is being answered against the budgets that pay for it: an answer that has become dearer than was expected
 * takes more from them, and one of whose budgets nothing is left ends here.
 */
export function guardAnswers({ budgets, priceOf, now, monotonic }: GuardParts, answers: readonly Answer[]): void {
  const startMs = monotonic()
  for (const answer of answers) {
    const { watch, progress } = answer
    const { ongoing, reservation } = progress
    if (ongoing === null || reservation === null || reservation.isFree || reservation.isOver) continue
    const monotonicMs = monotonic()
    const mayCount = monotonicMs < startMs + COUNTING_MS
    const { costMicrodollars } = openRow(ongoing, watch, { price: priceOf(ongoing.target), monotonicMs, mayCount })
    const spent = budgets.raise(reservation, costMicrodollars)
    if (spent !== null) answer.cutOff(spentError(spent.pot, spent.window, now()))
  }
}
