import type { LeaseName } from './leases.ts'

/** Money that an operator has added to one window of a budget, or taken from it. Times are Unix milliseconds. */
export type Refill = LeaseName & { readonly microdollars: number; readonly at: number; readonly by: string }

/** What refills need from storage. */
export type RefillStore = {
  /** Those of windows that began then or later. */
  readonly since: (windowStartMs: number) => readonly Refill[]
  /** @throws GateError STORE_UNAVAILABLE */
  readonly add: (refill: Refill) => void
}

/** No window that is still asked for began longer ago. */
const LONGEST_MS = 100 * 86_400_000

/** Refills in memory, in front of their store. @param now Unix milliseconds */
export function createRefills(store: RefillStore, now: () => number) {
  const sums = new Map<string, number>()
  const keyOf = ({ budget, subject, windowStartMs }: LeaseName) => `${windowStartMs} ${budget} ${subject}`
  const count = (refill: Refill) => sums.set(keyOf(refill), (sums.get(keyOf(refill)) ?? 0) + refill.microdollars)
  for (const refill of store.since(now() - LONGEST_MS)) count(refill)

  return {
    refilledIn: (name: LeaseName): number => sums.get(keyOf(name)) ?? 0,
    /** @throws GateError STORE_UNAVAILABLE */
    add(refill: Refill): void {
      store.add(refill)
      count(refill)
    },
  }
}
