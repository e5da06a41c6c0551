import type { Ended } from '../../schemas/words/ended.ts'

/** One window of a budget, for one subject. Times are Unix milliseconds. */
export type LeaseName = {
  readonly budget: string
  /** Whom it is about, where a budget has one window for each; else empty. */
  readonly subject: string
  readonly windowStartMs: number
}

/**
 * The right to spend, taken ahead of spending. Several processes, and several hosts, can share what is behind it: each
 * takes a part, spends of it without asking, and asks again when it runs short. Amounts are micro-dollars.
 */
export type Leases = {
  /** How far spending was allowed to go before this process began: it may have gone there. 0: nothing is known of it. */
  readonly before: (name: LeaseName) => number
  /**
   * Lets spending go as far as `needed`, and if it can be had, as far as `wanted`.
   * @param needed, wanted totals of this window
   * @returns how far it may go: less than `needed` means that the rest belongs to others
   * @throws GateError STORE_UNAVAILABLE
   */
  readonly extend: (name: LeaseName, needed: number, wanted: number) => number | Promise<number>
  /** The share of a rate that this process may use, above 0 and up to 1. */
  readonly share: () => number
  /**
   * Tells every process, this one included, that a credential or a person's credentials have ended: what they are being
   * answered is cut off.
   */
  readonly announce: (ended: Ended) => void
  /** Is called with each announcement, wherever it was made. @returns stops that */
  readonly whenAnnounced: (listener: (ended: Ended) => void) => () => void
}

/** What leases of one process need from storage: what it returns from has outlived `kill -9`. */
export type LeaseStore = {
  readonly find: (name: LeaseName) => number
  /** @throws GateError STORE_UNAVAILABLE */
  readonly put: (name: LeaseName, upTo: number) => void
}

/** The leases of a process that shares with no other: whatever it asks for is noted, and granted. */
export function localLeases(store: LeaseStore): Leases {
  const listeners = new Set<(ended: Ended) => void>()
  return {
    before: store.find,
    extend(name, _needed, wanted) {
      store.put(name, wanted)
      return wanted
    },
    share: () => 1,
    announce(ended) {
      for (const listener of [...listeners]) listener(ended)
    },
    whenAnnounced(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
